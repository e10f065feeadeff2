/** The look of a report: quiet, one accent colour, tabular figures, for any screen and for paper. */
const dark = `color-scheme: dark; --ink: #e8eaed; --paper: #121417; --card: #1a1d21; --line: #2e3338; --soft: #9aa2ab; --accent: #f08cc0; --lit: #3a2633;`;

/** The colours, shared with the browser's page. */
export const palette: string = `
:root { color-scheme: light; --ink: #1d2125; --paper: #fff; --card: #f7f7f8; --line: #dfe2e6; --soft: #5d6670; --accent: #9d1c5e; --lit: #fbe6f0; }
@media screen and (prefers-color-scheme: dark) { :root:not([data-theme=light]) { ${dark} } }
@media screen { :root[data-theme=dark] { ${dark} } }
`;

export const pageStyle: string = `${palette}* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0 auto; max-width: 1200px; padding: 32px 24px 72px; font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', 'Noto Sans', sans-serif; color: var(--ink); background: var(--paper); font-variant-numeric: tabular-nums; }
header { display: flex; justify-content: space-between; align-items: flex-start; gap: 16px; }
h1 { font-size: 28px; line-height: 1.2; letter-spacing: -.01em; margin: 0; }
h2 { font-size: 19px; letter-spacing: -.005em; margin: 0 0 4px; }
section { margin-top: 44px; }
p { margin: 4px 0 12px; max-width: 76ch; }
.verdict { font-size: 17px; margin: 8px 0 0; }
.soft, figcaption, small { color: var(--soft); }
small, figcaption { font-size: 13px; }
button, input { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 5px 10px; }
button { cursor: pointer; white-space: nowrap; }
#theme { font-size: 13px; color: var(--soft); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.counts { display: flex; flex-wrap: wrap; gap: 12px 40px; margin: 24px 0 0; padding: 16px 0; border-block: 1px solid var(--line); }
.counts div { display: flex; flex-direction: column-reverse; }
.counts dt { color: var(--soft); font-size: 13px; }
.counts dd { margin: 0; font-size: 24px; line-height: 1.2; font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 13px; color: var(--soft); list-style: none; margin: 8px 0 14px; padding: 0; }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px; vertical-align: -1px; }
.strip { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(76px, 1fr)); gap: 12px 8px; }
.strip li { text-align: center; line-height: 1.25; border-radius: 8px; padding: 4px 2px 6px; cursor: pointer; }
.strip img { display: block; width: 68px; height: 68px; margin: 0 auto 4px; border-radius: 6px; border-bottom: 4px solid var(--quality); }
.strip b { display: block; }
.lit { background: var(--lit); }
.photos { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 360px), 1fr)); gap: 24px 20px; align-items: start; }
figure { margin: 0; min-width: 0; }
figcaption { margin-top: 6px; overflow-wrap: anywhere; }
.photo { position: relative; overflow: hidden; border-radius: 8px; background: var(--card); }
.photo img { display: block; width: 100%; height: auto; }
.photo svg { position: absolute; inset: 0; width: 100%; height: 100%; }
.photo rect { fill: none; vector-effect: non-scaling-stroke; cursor: pointer; pointer-events: all; }
.photo .edge { stroke: #000; stroke-opacity: .55; stroke-width: 5px; }
.photo .box { stroke: var(--quality); stroke-width: 2.5px; }
.photo g.lit .box { stroke-width: 5px; fill: var(--quality); fill-opacity: .2; }
.photo circle { fill: #fff; stroke: #000; stroke-opacity: .6; vector-effect: non-scaling-stroke; pointer-events: none; }
.photo span { position: absolute; transform: translateY(-100%); padding: 0 5px; font-size: 12px; line-height: 17px; font-weight: 600; color: var(--on-quality); background: var(--quality); border-radius: 3px 3px 3px 0; cursor: pointer; }
.photo span.inside { transform: none; border-radius: 3px; }
.photo span.lit { outline: 2px solid #fff; z-index: 1; }
.charts.scroll > svg { max-width: 100%; min-width: 520px; height: auto; }
.scroll { overflow-x: auto; }
.scroll > svg { display: block; max-width: none; }
#filters { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; margin: 8px 0 12px; }
#filters [name=text] { width: 220px; } #filters [name=least] { width: 84px; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: 6px 16px 6px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: middle; }
th { font-size: 13px; font-weight: 600; white-space: nowrap; }
th button { border: 0; background: none; padding: 0; font-weight: 600; }
th button::after { content: '↕'; color: var(--soft); margin-left: 4px; opacity: .5; }
th[aria-sort=ascending] button::after { content: '↑'; color: var(--accent); opacity: 1; }
th[aria-sort=descending] button::after { content: '↓'; color: var(--accent); opacity: 1; }
.number { text-align: right; } td.name { overflow-wrap: anywhere; min-width: 150px; } td.number { white-space: nowrap; } td.reasons { min-width: 220px; font-size: 13px; }
td img { display: block; width: 40px; height: 40px; border-radius: 5px; }
td i { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 7px; background: var(--quality); }
.card { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 6px 24px; margin: 12px 0 20px; padding: 18px 20px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.card dt { color: var(--soft); } .card dd { margin: 0; overflow-wrap: anywhere; }
code { font: 13px ui-monospace, 'SF Mono', Menlo, Consolas, monospace; }
@media (max-width: 560px) {
  body { padding: 20px 16px 48px; } header { flex-direction: column; } h1 { font-size: 24px; } .counts { gap: 12px 28px; } section { margin-top: 36px; }
  th, td { padding-right: 12px; } td.name { font-size: 13px; }
  .card { grid-template-columns: minmax(0, 1fr); gap: 0; } .card dd { margin-bottom: 10px; }
  #filters label, #filters [name=text] { width: 100%; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 11pt; } #filters, #theme { display: none; } section { margin-top: 24pt; }
  figure, .strip li, tr, .card { break-inside: avoid; } h2 { break-after: avoid; } thead { display: table-header-group; }
  th, td { padding-right: 8pt; font-size: 9pt; } td.name, td.reasons { min-width: 0; font-size: 8pt; }
  .photos { grid-template-columns: 1fr 1fr; } .charts.scroll > svg { min-width: 0; } .scroll { overflow: visible; } .scroll > svg { max-width: 100%; height: auto; } th button::after { content: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
