/*
 * The report as text. Why a connection failed, and what to do, are the library's sentences:
 * failures/decide.ts.
 */
import pc from 'picocolors';
import {commonName, day, fromNow, listNames} from '../shared/format-certificate.ts';
import {printable} from '../shared/io.ts';
import {foldCommand, lineWidth, wrap} from '../shared/wrap.ts';
import type {CheckedCookie, CheckFailure, CheckReport, Link, Step, StepState} from './report.ts';

type Paint = ReturnType<typeof pc.createColors>;

/** The report for a terminal, line by line. */
export function renderText(report: CheckReport, colors: boolean): string[] {
	const paint = pc.createColors(colors);
	return [
		paint.bold(printable(report.url)),
		'',
		...report.steps.flatMap((step) => stepLines(paint, step)),
		...chainLines(paint, report),
		...cookieLines(paint, report.cookies),
		'',
		...outcome(paint, report),
		...nextLines(paint, report.next),
	];
}

const titleWidth = 20;
/** The mark and the title stand before the text of a step. */
const textColumn = 4 + titleWidth;

function stepLines(paint: Paint, {title, state, text}: Step): string[] {
	const lines = wrap(printable(text), {indent: textColumn});
	return lines.map((line, index) =>
		index === 0 ? `  ${mark(paint, state)} ${title.padEnd(titleWidth)}${line}` : line,
	);
}

function mark(paint: Paint, state: StepState): string {
	const marks: Record<StepState, string> = {
		good: paint.green('✓'),
		bad: paint.red('✗'),
		doubtful: paint.yellow('!'),
		open: paint.dim('·'),
	};
	return marks[state];
}

function chainLines(paint: Paint, report: CheckReport): string[] {
	const {chain, missingIssuer, steps, checkedAt, failure} = report;
	if (chain.length === 0) return [];
	const now = new Date(checkedAt);
	const lines = drawChain({
		chain,
		missingIssuer,
		trusted: isTrusted(steps),
		toCompare: unknownKinds.has(failure?.kind),
		now,
	});
	return ['', paint.bold('The chain'), '', ...lines.flatMap((line) => treeLines(paint, line))];
}

/** Failures after which a certificate is to be compared by another way, and perhaps trusted. */
const unknownKinds: ReadonlySet<string | undefined> = new Set(['self-signed', 'untrusted-issuer']);

/** Whether the chain leads to a CA that is trusted here. */
export function isTrusted(steps: readonly Step[]): boolean {
	const state = steps.find(({id}) => id === 'chain')?.state;
	return state === 'good' || state === 'doubtful';
}

function treeLines(paint: Paint, {branch, text, tone}: TreeLine): string[] {
	const tones: Record<TreeLine['tone'], (text: string) => string> = {
		name: paint.bold,
		good: paint.green,
		bad: paint.red,
		doubtful: paint.yellow,
		detail: paint.dim,
	};
	const lines = wrap(printable(text), {width: lineWidth - 2 - branch.length});
	return lines.map((line) => `  ${paint.dim(branch)}${tones[tone](line)}`);
}

function cookieLines(paint: Paint, cookies: readonly CheckedCookie[]): string[] {
	if (cookies.length === 0) return [];
	const lines = cookies.flatMap(({name, attributes}) => {
		const text = printable([name || '(no name)', ...attributes].join('; '));
		return wrap(text, {indent: 4, offset: 2}).map((line, index) =>
			index === 0 ? `  ${line}` : line,
		);
	});
	return ['', paint.bold('Cookies, without their values'), '', ...lines];
}

function outcome(paint: Paint, {failure, summary}: CheckReport): string[] {
	const sign = failure === null ? paint.green('✓') : paint.red('✗');
	const lines = wrap(printable(sentence(failure?.message ?? summary)), {indent: 2});
	return [
		...lines.map((line, index) => (index === 0 ? `${sign} ${line}` : line)),
		...(failure === null ? [] : causes(paint, failure)),
	];
}

const todo = 'What to do: ';

function causes(paint: Paint, {kind, certain, reasons, hint}: CheckFailure): string[] {
	const numbered = reasons.flatMap((reason, index) =>
		wrap(`${index + 1}. ${printable(reason)}`, {indent: 5, offset: 2}).map((line, at) =>
			at === 0 ? `  ${line}` : line,
		),
	);
	const [first = '', ...rest] = wrap(printable(hint), {indent: 0, offset: todo.length});
	return [
		paint.dim(`  ${kind}${certain ? '' : ', most likely'}`),
		...(numbered.length > 0 ? ['', paint.bold(titleOf(reasons)), ''] : []),
		...numbered,
		'',
		`${paint.bold(todo.trim())} ${first}`,
		...rest,
	];
}

/** The title above the causes of a failure. */
export function titleOf(reasons: readonly string[]): string {
	return reasons.length === 1 ? 'Likely cause' : 'Likely causes, the likeliest first';
}

function nextLines(paint: Paint, next: readonly string[]): string[] {
	if (next.length === 0) return [];
	return [
		'',
		paint.bold('Next'),
		'',
		...next.flatMap((command) => foldCommand(printable(command))),
	];
}

/** A message as a sentence: by itself it begins in lower case and has no full stop. */
export function sentence(text: string): string {
	// A host name keeps its case.
	const isWord = /^[a-z']+ /.test(text);
	return `${isWord ? text.charAt(0).toUpperCase() + text.slice(1) : text}.`;
}

/** One line of the drawing of a chain. */
export interface TreeLine {
	/** The lines of the tree on its left. */
	readonly branch: string;
	readonly text: string;
	/** Decides its colour. */
	readonly tone: 'name' | 'good' | 'bad' | 'doubtful' | 'detail';
}

export interface TreeInput {
	/** Leaf first. */
	readonly chain: readonly Link[];
	readonly missingIssuer: string | null;
	/** It leads to a CA that is trusted here. */
	readonly trusted: boolean;
	/** Whether to print the fingerprints. */
	readonly toCompare: boolean;
	readonly now: Date;
}

/** Draws a chain as a tree, from the root down to the server. */
export function drawChain({chain, missingIssuer, trusted, toCompare, now}: TreeInput): TreeLine[] {
	const lines: TreeLine[] = [];
	let depth = 0;
	if (missingIssuer !== null) {
		lines.push({
			branch: '',
			text: `${commonName(missingIssuer)} (not sent, and not known here)`,
			tone: 'bad',
		});
		depth = 1;
	}
	for (const [index, link] of [...chain].reverse().entries()) {
		const isLast = index === chain.length - 1;
		const outer = '   '.repeat(Math.max(0, depth - 1));
		lines.push({
			branch: depth === 0 ? '' : `${outer}└─ `,
			text: commonName(link.subject),
			tone: 'name',
		});
		const inner = '   '.repeat(depth) + (isLast ? '   ' : '│  ');
		for (const [tone, text] of details(link, {trusted, toCompare, now}))
			lines.push({branch: inner, text, tone});
		depth += 1;
	}
	return lines;
}

function details(
	link: Link,
	{trusted, toCompare, now}: Omit<TreeInput, 'chain' | 'missingIssuer'>,
): [TreeLine['tone'], string][] {
	return [
		...roleLine(link, trusted),
		[link.validity === 'valid' ? 'detail' : 'bad', validityWords(link, now)],
		...(link.role === 'server' || link.altNames.length > 0
			? [['detail', `names ${listNames(link.altNames)}`] as [TreeLine['tone'], string]]
			: []),
		['detail', `pin ${link.pin || 'none'}`],
		...(!toCompare
			? []
			: [['detail', `SHA-256 ${link.fingerprint256}`] as [TreeLine['tone'], string]]),
		...(link.pinned ? [['good', 'pinned with --pin'] as [TreeLine['tone'], string]] : []),
	];
}

function roleLine({role, issuer, subject}: Link, trusted: boolean): [TreeLine['tone'], string][] {
	if (subject === issuer) {
		return trusted ? [['good', 'self-signed, trusted here']] : [['detail', 'self-signed']];
	}
	return [['detail', `${role === 'server' ? '' : 'CA, '}issued by ${commonName(issuer)}`]];
}

/** `valid 2026-01-01 to 2026-04-01 (ends in 90 days)`. */
export function validityWords({validFrom, validTo, validity}: Link, now: Date): string {
	const span = `${day(validFrom)} to ${day(validTo)}`;
	if (validity === 'expired') return `expired ${fromNow(validTo, now)}: valid ${span}`;
	if (validity === 'not-yet-valid') return `begins ${fromNow(validFrom, now)}: valid ${span}`;
	return `valid ${span} (ends ${fromNow(validTo, now)})`;
}
