/** The style of the page: one column of cards, light or dark as the reader has it. */
export const pageStyle = `
:root {
	color-scheme: light dark;
	--page: #f3f5f8; --card: #ffffff; --ink: #1a2230; --dim: #566174; --line: #dde2ea;
	--good: #167a48; --bad: #bf2f28; --warn: #966000; --accent: #2b59c3;
	--good-soft: #e5f4ec; --bad-soft: #fcebea; --warn-soft: #fdf3de; --code: #eef1f6;
}
@media (prefers-color-scheme: dark) {
	:root {
		--page: #10141b; --card: #191f29; --ink: #e7ebf2; --dim: #9aa6b8; --line: #2c3543;
		--good: #4fc78d; --bad: #ff8178; --warn: #e5aa46; --accent: #86aaff;
		--good-soft: #15301f; --bad-soft: #3a1b1b; --warn-soft: #35290f; --code: #222a36;
	}
}
* { box-sizing: border-box; }
body {
	margin: 0; padding: 2.5rem 1rem 3rem; background: var(--page); color: var(--ink);
	font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif;
}
main { max-width: 50rem; margin: 0 auto; }
header p { margin: 0; color: var(--dim); font-size: .9rem; }
h1 { margin: .15rem 0 1.25rem; font-size: 1.5rem; line-height: 1.3; overflow-wrap: anywhere; }
h2 { margin: 0 0 .9rem; font-size: 1.05rem; }
h3 { margin: 1.1rem 0 .3rem; font-size: .95rem; }
section {
	margin: 0 0 1.1rem; padding: 1.25rem 1.4rem; background: var(--card);
	border: 1px solid var(--line); border-radius: 14px;
}
.outcome { border-left-width: 6px; }
.outcome strong { display: block; font-size: 1.1rem; overflow-wrap: anywhere; }
.outcome span { color: var(--dim); font-size: .9rem; }
.outcome.good { background: var(--good-soft); border-color: var(--good); }
.outcome.bad { background: var(--bad-soft); border-color: var(--bad); }
.steps { margin: 0; padding: 0; list-style: none; }
.steps li { display: grid; grid-template-columns: 1.6rem 10.5rem 1fr; padding: .38rem 0; }
.steps li + li { border-top: 1px solid var(--line); }
.steps b { font-weight: 600; }
.steps span { overflow-wrap: anywhere; }
.steps i { font-style: normal; font-weight: 700; }
.good > i { color: var(--good); } .bad > i { color: var(--bad); }
.doubtful > i { color: var(--warn); } .open > i, .open > span { color: var(--dim); }
ol { margin: 0; padding-left: 1.3rem; } ol li { padding: .1rem 0; }
.hint { margin: .9rem 0 0; }
pre, code { font: .86rem/1.5 ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
pre {
	margin: .5rem 0 0; padding: .65rem .85rem; background: var(--code); border-radius: 8px;
	white-space: pre-wrap; overflow-wrap: anywhere;
}
.scroll { overflow-x: auto; } .drawing { display: block; width: 100%; min-width: 34rem; height: auto; }
.drawing text { fill: var(--ink); font-size: 14px; }
.drawing .name { font-size: 16px; font-weight: 650; }
.drawing .small, .drawing .dim { fill: var(--dim); font-size: 12.5px; }
.drawing .time { fill: var(--ink); }
.drawing .badge { fill: var(--dim); font-size: 12.5px; font-weight: 600; }
.drawing .good .badge { fill: var(--good); } .drawing .bad .time { fill: var(--bad); font-weight: 600; }
.drawing text.bad { fill: var(--bad); }
.link rect { fill: var(--page); stroke: var(--line); stroke-width: 1.2; }
.link.bad rect { stroke: var(--bad); } .link.missing rect { fill: none; stroke: var(--bad); stroke-dasharray: 6 5; }
.link rect.edge { fill: var(--dim); stroke: none; }
.link.good rect.edge { fill: var(--good); } .link.bad rect.edge { fill: var(--bad); }
.arrow { fill: none; stroke: var(--dim); stroke-width: 1.6; } .tip { fill: var(--dim); }
.span rect { fill: var(--good); opacity: .85; } .span.bad rect { fill: var(--bad); } .span.warn rect { fill: var(--warn); }
.span.bad .dim { fill: var(--bad); } .span.warn .dim { fill: var(--warn); }
.drawing .label { font-weight: 600; } .drawing .label .dim { font-weight: 400; }
.grid { stroke: var(--line); stroke-width: 1; }
line.today { stroke: var(--accent); stroke-width: 2; }
.drawing text.today { fill: var(--accent); font-size: 13px; font-weight: 600; }
.note { margin: .6rem 0 0; color: var(--dim); font-size: .85rem; }
dl { display: grid; grid-template-columns: 7.5rem 1fr; gap: .15rem .8rem; margin: 0; font-size: .9rem; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 36rem) {
	.steps li { grid-template-columns: 1.6rem 1fr; } .steps li > span { grid-column: 2; }
	dl { grid-template-columns: 1fr; } section { padding: 1rem; }
}
@media print { body { background: none; padding: 0; } section { break-inside: avoid; } }
`;
