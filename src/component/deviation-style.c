/* The style and script of the page of deviations: light and dark by the reader's choice, printable,
 * nothing fetched. */
#include "component/deviation-style.h"

/* clang-format off */
static const char style[] =
":root{color-scheme:light dark;--paper:#fbfaf7;--card:#fff;--ink:#1e2328;--soft:#5d6670;--line:#e3dfd6;"
"--accent:#7a4b16;--bar:#c9975b;--add:#e2f3e3;--addi:#14532d;--del:#fae3e0;--deli:#7f1d1d;--warn:#fff4d6;--warni:#6b4a00;--tag:#f0ece3}\n"
"@media(prefers-color-scheme:dark){:root{--paper:#16181b;--card:#1e2125;--ink:#e4e2dd;--soft:#9aa3ad;--line:#33373d;"
"--accent:#e0ad70;--bar:#8a6437;--add:#15301c;--addi:#9fe0ae;--del:#3a1d1c;--deli:#f2b0aa;--warn:#3a3015;--warni:#f0d58a;--tag:#2a2e33}}\n"
"*{box-sizing:border-box}\n"
"body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,\"Segoe UI\",\"Noto Sans\",sans-serif}\n"
"main{max-width:62rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}\n"
"h1{font-size:1.9rem;line-height:1.2;margin:0 0 .4rem;letter-spacing:-.01em}\n"
"h2{font-size:1.25rem;margin:2.6rem 0 .8rem}\n"
"h3{font-size:1.12rem;margin:2rem 0 .5rem;padding-top:.6rem;border-top:1px solid var(--line);scroll-margin-top:4.5rem}\n"
"h3 a{color:inherit;text-decoration:none}h3 a:hover{text-decoration:underline}\n"
"h3 small{font-weight:400;color:var(--soft);font-size:.85rem;margin-left:.5rem}\n"
"p{margin:.4rem 0}a{color:var(--accent)}\n"
".lead{font-size:1.08rem;color:var(--soft);max-width:46rem}\n"
".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(17rem,1fr));gap:1rem;margin:1.6rem 0}\n"
".card{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1rem 1.1rem}\n"
".card h2{font-size:.8rem;margin:0 0 .6rem;color:var(--soft);text-transform:uppercase;letter-spacing:.06em}\n"
".bars{display:grid;grid-template-columns:minmax(0,1fr) 3.2rem 2.2rem;gap:.3rem .6rem;align-items:center;font-size:.88rem;line-height:1.3}\n"
".bars i{display:block;height:.55rem;border-radius:.3rem;background:var(--bar)}\n"
".bars b{font-weight:600;text-align:right;font-variant-numeric:tabular-nums}\n"
".problems{background:var(--warn);color:var(--warni);border-radius:.6rem;padding:.9rem 1.1rem;margin:1.2rem 0}\n"
".problems a{color:inherit;font-weight:600}.problems .what{color:inherit}\n"
".problems h2{margin:0 0 .3rem;font-size:1rem}.problems ul{margin:.3rem 0;padding-left:1.2rem}.problems li{overflow-wrap:anywhere;font-size:.92rem}\n"
".filter{position:sticky;top:0;display:flex;flex-wrap:wrap;gap:.6rem;align-items:center;background:var(--paper);padding:.7rem 0;z-index:1;border-bottom:1px solid var(--line)}\n"
".filter[hidden]{display:none}\n"
".filter input,.filter select,.filter button{font:inherit;font-size:.95rem;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:.4rem;padding:.4rem .6rem}\n"
".filter input{flex:1 1 14rem}.filter output{color:var(--soft);font-size:.9rem;font-variant-numeric:tabular-nums}\n"
".index{columns:13rem;column-gap:1.5rem;list-style:none;padding:0;margin:.6rem 0;font-size:.92rem}\n"
".index li{break-inside:avoid;overflow-wrap:anywhere}.index small{color:var(--soft)}\n"
"article{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.8rem 1rem;margin:.6rem 0;break-inside:avoid}\n"
"article>p:first-child{margin:0 0 .3rem;font-weight:500;overflow-wrap:anywhere}\n"
"article.none>p:first-child{color:var(--warni)}\n"
".what{font-family:ui-monospace,\"DejaVu Sans Mono\",Menlo,Consolas,monospace;font-size:.85rem;color:var(--soft);overflow-wrap:anywhere}\n"
".tags{display:flex;flex-wrap:wrap;gap:.35rem;margin:.5rem 0 0;padding:0;list-style:none;font-size:.8rem;align-items:center}\n"
".tags li{background:var(--tag);border-radius:1rem;padding:.1rem .6rem;overflow-wrap:anywhere}\n"
".tags li.plain{background:none;color:var(--soft);padding-left:.1rem}.tags li.bad{background:var(--warn);color:var(--warni)}\n"
"details{margin-top:.5rem}summary{cursor:pointer;color:var(--accent);font-size:.9rem}\n"
"details>p{font-size:.92rem;color:var(--soft);overflow-wrap:anywhere}\n"
"pre{margin:.5rem 0 0;padding:.7rem 0;overflow-x:auto;background:var(--paper);border:1px solid var(--line);border-radius:.4rem;"
"font:.8rem/1.45 ui-monospace,\"DejaVu Sans Mono\",Menlo,Consolas,monospace;tab-size:8}\n"
"pre span{display:block;padding:0 .8rem;min-width:max-content;min-height:1.45em}\n"
"pre .a{background:var(--add);color:var(--addi)}pre .d{background:var(--del);color:var(--deli)}pre .h{color:var(--soft)}pre .t{font-weight:600;color:var(--accent)}\n"
"footer{margin-top:3rem;color:var(--soft);font-size:.85rem}\n"
"@media print{:root{--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--tag:#eee;--add:#eef7ee;--del:#f9eceb}"
"body{font-size:10pt}main{max-width:none;padding:0}.filter,summary{display:none!important}"
"details::details-content{content-visibility:visible;display:block}pre{white-space:pre-wrap;overflow:visible}pre span{min-width:0}h3,article>p:first-child{break-after:avoid}article{break-inside:auto}a{color:inherit}}\n";

static const char script[] =
"(function(){var f=document.querySelector('.filter'),q=f.querySelector('input'),c=f.querySelectorAll('select'),o=f.querySelector('output'),b=f.querySelector('button');"
"var a=[].slice.call(document.querySelectorAll('article')),s=[].slice.call(document.querySelectorAll('section.one'));"
"a.forEach(function(e){e.text=(e.closest('section').dataset.name+' '+e.textContent).toLowerCase()});"
"function run(){var w=q.value.toLowerCase().split(/\\s+/).filter(Boolean),n=0;"
"a.forEach(function(e){var y=w.every(function(x){return e.text.indexOf(x)>=0});"
"c.forEach(function(x){if(x.value&&e.dataset[x.name]!==x.value)y=false});e.hidden=!y;if(y)n++});"
"s.forEach(function(e){e.hidden=!e.querySelector('article:not([hidden])')});"
"o.textContent=n===a.length?n+' deviations':n+' of '+a.length}"
"q.addEventListener('input',run);c.forEach(function(x){x.addEventListener('change',run)});f.hidden=false;run();"
"b.addEventListener('click',function(){var y=b.textContent==='Open all';document.querySelectorAll('article:not([hidden]) details').forEach(function(d){d.open=y});b.textContent=y?'Close all':'Open all'});"
"addEventListener('beforeprint',function(){document.querySelectorAll('article details').forEach(function(d){d.open=true})})})();";
/* clang-format on */

const char *varve_deviation_style(void)
{
	return style;
}

const char *varve_deviation_script(void)
{
	return script;
}
