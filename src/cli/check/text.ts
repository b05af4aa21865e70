import pc from 'picocolors';
import {printable} from '../shared/io.ts';
import {drawChain, type TreeLine} from './chain-tree.ts';
import type {CheckedCookie, CheckFailure, CheckReport, StepState} from './report.ts';

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
	const state = steps.find(({id}) => id === 'chain')?.state;
	const trusted = state === 'good' || state === 'doubtful';
	const now = new Date(checkedAt);
	const lines = drawChain({chain, missingIssuer, trusted, now});
	return ['', paint.bold('The chain'), '', ...lines.map((line) => treeLine(paint, line))];
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

/** A summary begins in lower case and has no full stop, since it also stands inside others. */
export function sentence(text: string): string {
	// A host name keeps its case.
	const begun = /^[a-z']+ /.test(text) ? `${text.charAt(0).toUpperCase()}${text.slice(1)}` : text;
	return `${begun}.`;
}
