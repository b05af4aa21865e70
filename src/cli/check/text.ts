/*
 * The report as text. Why a connection failed, and what to do, are the library's sentences:
 * failures/decide.ts.
 */
import pc from 'picocolors';
import {commonName, day, fromNow, listNames} from '../shared/format-certificate.ts';
import {printable} from '../shared/io.ts';
import type {CheckedCookie, CheckFailure, CheckReport, Link, Step, StepState} from './report.ts';

type Paint = ReturnType<typeof pc.createColors>;

/** The report for a terminal, line by line. */
export function renderText(report: CheckReport, colors: boolean): string[] {
	const paint = pc.createColors(colors);
	return [
		paint.bold(printable(report.url)),
		'',
		...report.steps.map(({title, state, text}) => stepLine(paint, state, title, text)),
		...chainLines(paint, report),
		...cookieLines(paint, report.cookies),
		'',
		...outcome(paint, report),
		...nextLines(paint, report.next),
	];
}

const titleWidth = 20;

function stepLine(paint: Paint, state: StepState, title: string, text: string): string {
	return `  ${mark(paint, state)} ${title.padEnd(titleWidth)}${printable(text)}`;
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

function chainLines(paint: Paint, {chain, missingIssuer, steps, checkedAt}: CheckReport): string[] {
	if (chain.length === 0) return [];
	const now = new Date(checkedAt);
	const lines = drawChain({chain, missingIssuer, trusted: isTrusted(steps), now});
	return ['', paint.bold('The chain'), '', ...lines.map((line) => treeLine(paint, line))];
}

/** Whether the chain leads to a CA that is trusted here. */
export function isTrusted(steps: readonly Step[]): boolean {
	const state = steps.find(({id}) => id === 'chain')?.state;
	return state === 'good' || state === 'doubtful';
}

function treeLine(paint: Paint, {branch, text, tone}: TreeLine): string {
	const tones: Record<TreeLine['tone'], (text: string) => string> = {
		name: paint.bold,
		good: paint.green,
		bad: paint.red,
		doubtful: paint.yellow,
		detail: paint.dim,
	};
	return `  ${paint.dim(branch)}${tones[tone](printable(text))}`;
}

function cookieLines(paint: Paint, cookies: readonly CheckedCookie[]): string[] {
	if (cookies.length === 0) return [];
	const lines = cookies.map(
		({name, attributes}) => `  ${printable([name || '(no name)', ...attributes].join('; '))}`,
	);
	return ['', paint.bold('Cookies, without their values'), '', ...lines];
}

function outcome(paint: Paint, {failure, summary}: CheckReport): string[] {
	if (failure === null) return [`${paint.green('✓')} ${printable(sentence(summary))}`];
	return [`${paint.red('✗')} ${printable(sentence(failure.message))}`, ...causes(paint, failure)];
}

function causes(paint: Paint, {kind, certain, reasons, hint}: CheckFailure): string[] {
	const numbered = reasons.map((reason, index) => `  ${index + 1}. ${printable(reason)}`);
	return [
		paint.dim(`  ${kind}${certain ? '' : ', most likely'}`),
		...(numbered.length > 0 ? ['', paint.bold('Likely causes, the likeliest first'), ''] : []),
		...numbered,
		'',
		`${paint.bold('What to do:')} ${printable(hint)}`,
	];
}

function nextLines(paint: Paint, next: readonly string[]): string[] {
	if (next.length === 0) return [];
	return ['', paint.bold('Next'), '', ...next.map((command) => `  ${printable(command)}`)];
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
	readonly now: Date;
}

/** Draws a chain as a tree, from the root down to the server. */
export function drawChain({chain, missingIssuer, trusted, now}: TreeInput): TreeLine[] {
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
		for (const [tone, text] of details(link, trusted, now)) lines.push({branch: inner, text, tone});
		depth += 1;
	}
	return lines;
}

function details(link: Link, trusted: boolean, now: Date): [TreeLine['tone'], string][] {
	return [
		...roleLine(link, trusted),
		[link.validity === 'valid' ? 'detail' : 'bad', validityWords(link, now)],
		...(link.role === 'server' || link.altNames.length > 0
			? [['detail', `names ${listNames(link.altNames)}`] as [TreeLine['tone'], string]]
			: []),
		['detail', `pin ${link.pin || 'none'}`],
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
