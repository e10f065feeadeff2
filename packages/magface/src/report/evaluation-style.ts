/** Styles of the evaluation page beyond the common ones. */
export const evaluationStyle: string = `
h1, h2 { overflow-wrap: anywhere; } h3 { font-size: 15px; margin: 28px 0 8px; } a { color: var(--accent); }
article { border-top: 1px solid var(--line); margin-top: 44px; } article > h2 { font-size: 23px; margin-top: 28px; }
.curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 20px 24px; margin-top: 12px; }
.curves svg { display: block; width: 100%; height: auto; max-width: 560px; }
td, th { white-space: nowrap; padding-right: 14px; } th:not(:first-child), td:not(:first-child) { text-align: right; }
td.best { font-weight: 600; } td small { display: block; font-weight: 400; } .below { margin-top: 12px; } .differences { padding-left: 20px; margin: 8px 0; } .differences li { margin: 4px 0; } summary { cursor: pointer; font-weight: 600; margin-top: 16px; } td i { background: var(--series); }
.pairs { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(172px, 1fr)); gap: 16px 14px; }
.pairs li > div { display: grid; grid-template-columns: 1fr 1fr; gap: 4px; max-width: 240px; } .pairs img { display: block; width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 6px; }
.pairs p { margin: 4px 0 0; line-height: 1.35; } .pairs small { display: block; overflow-wrap: anywhere; }
.failures li { margin: 4px 0; } tr.best td { font-weight: 600; }
.copy figure { margin: 10px 0; } pre { overflow-x: auto; padding: 10px 12px; border: 1px solid var(--line); border-radius: 6px; font-size: 12px; line-height: 1.45; white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: minmax(90px, max-content) 1fr; gap: 4px 16px; margin: 12px 0; } dt { font-weight: 600; overflow-wrap: anywhere; } dd { margin: 0; overflow-wrap: anywhere; }
@media print { .pairs li, .curves figure { break-inside: avoid; } }
`;
