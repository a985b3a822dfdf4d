/* What the page of deviations looks like, and the little that it does. */
#pragma once

/** varve_deviation_style: (static) CSS. */
const char *varve_deviation_style(void);
/** varve_deviation_script: (static) filtering; the page is whole without it. */
const char *varve_deviation_script(void);
