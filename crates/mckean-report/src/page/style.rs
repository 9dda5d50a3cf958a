//! How a report looks: black on white, serif text, ruled tables, sober enough to print.
//!
//! Maths: none.
//! Shapes: columns of at most 980 pixels, two figures wide.
//! Cost: three kilobytes in every page.
//! Checked: the gallery is looked at, wide and narrow.

/// The style sheet, inlined into every page. Fonts are those of the reader's system.
pub(super) const CSS: &str = "
:root{color-scheme:light;--ink:#1a1a1a;--soft:#595959;--rule:#cfcfcf;--link:#0b4f8a;
--serif:Charter,'Bitstream Charter','Source Serif 4',Cambria,Georgia,'Liberation Serif','DejaVu Serif',serif;
--sans:'Helvetica Neue',Helvetica,Arial,'Liberation Sans','DejaVu Sans',sans-serif;
--mono:ui-monospace,'SF Mono',Menlo,Consolas,'Liberation Mono','DejaVu Sans Mono',monospace}
*{box-sizing:border-box}
body{margin:0 auto;padding:2.2rem 1.25rem 4rem;max-width:1020px;background:#fff;color:var(--ink);
font:16px/1.5 var(--serif);overflow-wrap:break-word}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .3rem;font-weight:600}
h2{font-size:1.2rem;line-height:1.3;margin:2.4rem 0 .7rem;padding-top:.7rem;border-top:1px solid var(--rule);font-weight:600}
p,ul{max-width:44rem;margin:.6rem 0}
p{white-space:pre-line}
a{color:var(--link)}
.subtitle{color:var(--soft);margin:0;font-size:.95rem}
.headline{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,13rem),1fr));gap:1.1rem 1.6rem;
margin:1.6rem 0 .4rem;padding:1rem 0;border-top:1.5px solid var(--ink);border-bottom:1px solid var(--rule)}
.headline dt{font-size:.85rem;color:var(--soft)}
.headline dd{margin:0}
.headline .value{font-size:1.5rem;line-height:1.3;font-variant-numeric:lining-nums tabular-nums}
.headline .interval{font-size:.9rem}
.headline .note{font-size:.85rem;color:var(--soft);line-height:1.35}
nav ol{columns:2 16rem;margin:1rem 0;padding-left:1.4rem;font-size:.95rem}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:1.2rem 1.6rem;margin:1rem 0}
figure{margin:0;max-width:520px;break-inside:avoid}
figure svg{display:block;width:100%;height:auto}
figcaption{font-size:.875rem;line-height:1.42;margin:.25rem .4rem 0}
.data{display:block;color:var(--soft);font-size:.8rem}
.table{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;border-top:1.5px solid var(--ink);border-bottom:1.5px solid var(--ink);
font-size:.92rem;font-variant-numeric:lining-nums tabular-nums}
caption{text-align:left;padding:0 0 .4rem;font-size:.9rem}
th{font-weight:600;text-align:left;border-bottom:1px solid var(--ink);vertical-align:bottom}
th,td{padding:.28rem 1.1rem .28rem 0}
th:last-child,td:last-child{padding-right:.3rem}
td{vertical-align:top}
tbody tr+tr td{border-top:1px solid #ececec}
.num{text-align:right;white-space:nowrap}
.status{display:inline-flex;align-items:center;gap:.4rem;white-space:nowrap}
.holds{color:#00664a}.fails{color:#a83c00}.open{color:var(--soft)}
pre{background:#f6f6f4;border:1px solid #e3e3df;padding:.7rem .9rem;overflow-x:auto;font:.84rem/1.45 var(--mono)}
@media print{body{max-width:none;padding:0;font-size:10.5pt}.data,nav{display:none}
.figures{grid-template-columns:1fr 1fr}h2{break-after:avoid}pre{white-space:pre-wrap}
.status,.figures{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
";
