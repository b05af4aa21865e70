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
.chain { margin: 0; padding: 0; list-style: none; }
.link {
	position: relative; margin-left: calc(var(--depth) * clamp(.4rem, 2.5vw, 2.5rem));
	display: grid; grid-template-columns: 1fr auto; gap: .1rem .8rem; padding: .7rem .95rem;
	background: var(--page); border: 1px solid var(--line); border-left: 5px solid var(--dim);
	border-radius: 10px; overflow-wrap: anywhere;
}
.link + .link { margin-top: 2.2rem; }
.link + .link::before {
	content: '↓ signed'; position: absolute; left: 1rem; top: -1.85rem;
	color: var(--dim); font-size: .85rem;
}
.link i { color: var(--dim); font-style: normal; font-weight: 600; font-size: .85rem; }
.link span { grid-column: 1 / -1; }
.link .small { color: var(--dim); font-size: .85rem; }
.link.good { border-left-color: var(--good); } .link.good i { color: var(--good); }
.link.bad { border-color: var(--bad); } .link.bad .time { color: var(--bad); font-weight: 600; }
.link.missing { background: none; border: 1.5px dashed var(--bad); } .link.missing .time { color: var(--bad); }
.timeline { position: relative; padding: 1.9rem 0 1.9rem; }
.timeline .span { position: relative; padding: .45rem 0; }
.timeline .span p { margin: 0 0 .25rem; overflow-wrap: anywhere; }
.timeline .span span { color: var(--dim); font-size: .88rem; }
/* The lines pass behind the words. */
.timeline .span p { position: relative; z-index: 1; } .timeline .span p > * { background: var(--card); }
.bar { height: .85rem; border-radius: .45rem; background: var(--good); opacity: .85; }
.span.bad .bar { background: var(--bad); } .span.warn .bar { background: var(--warn); }
.timeline .span.bad span { color: var(--bad); } .timeline .span.warn span { color: var(--warn); }
.mark, .today { position: absolute; top: 1.6rem; bottom: 1.6rem; width: 0; border-left: 1px solid var(--line); }
.mark span, .today span { position: absolute; left: 0; transform: translateX(-50%); white-space: nowrap; }
.mark span { top: 100%; color: var(--dim); font-size: .8rem; }
.today { border-left: 2px solid var(--accent); }
.today span { bottom: 100%; color: var(--accent); font-size: .85rem; font-weight: 600; }
.from span { transform: none; } .to span { transform: translateX(-100%); }
.note { margin: .6rem 0 0; color: var(--dim); font-size: .85rem; }
dl { display: grid; grid-template-columns: 7.5rem 1fr; gap: .15rem .8rem; margin: 0; font-size: .9rem; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 36rem) {
	.steps li { grid-template-columns: 1.6rem 1fr; } .steps li > span { grid-column: 2; }
	dl { grid-template-columns: 1fr; } section { padding: 1rem; }
	dd + dt { margin-top: .35rem; } .minor { display: none; } .link { grid-template-columns: 1fr; }
}
@media print { body { background: none; padding: 0; } section { break-inside: avoid; } }
`;
