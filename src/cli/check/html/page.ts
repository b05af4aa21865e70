import {day, listNames} from '../../shared/format-certificate.ts';
import type {CheckedCookie, CheckFailure, CheckReport, Link, Step, StepState} from '../report.ts';
import {isTrusted, sentence, titleOf} from '../text.ts';
import {drawChainBoxes} from './chain-diagram.ts';
import {escapeHtml} from './escape.ts';
import {pageStyle} from './style.ts';
import {drawTimeline} from './timeline.ts';

/**
 * The report as one page without scripts and without fonts or images from elsewhere.
 *
 * Security: much of its text comes from the server. All of it is escaped, and the page forbids scripts
 * and requests, so that an error in the escaping would still run nothing.
 */
export function renderPage(report: CheckReport): string {
	const {url, steps, chain, cookies, failure, next, checkedAt} = report;
	const now = new Date(checkedAt);
	return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${failure === null ? 'All well' : escapeHtml(failure.kind)}: ${escapeHtml(url)}</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
<header><p>axios-mtls check</p><h1>${escapeHtml(url)}</h1></header>
${outcome(report)}
${failure === null ? '' : `${causes(failure)}\n${nextCard(next)}`}
${card('Step by step', `<ul class="steps">${steps.map(stepItem).join('\n')}</ul>`)}
${card('The chain', drawChainBoxes(report, isTrusted(steps), now))}
${card('When they are valid', withNote(drawTimeline(chain, now)))}
${card('In full', chain.map(fullLink).join('\n'))}
${card('Cookies, without their values', cookieList(cookies))}
${failure === null ? nextCard(next) : ''}
</main>
</body>
</html>
`;
}

function card(title: string, content: string): string {
	return content === '' ? '' : `<section><h2>${title}</h2>\n${content}\n</section>`;
}

function nextCard(next: readonly string[]): string {
	return card('Next', next.map((command) => `<pre>${escapeHtml(command)}</pre>`).join('\n'));
}

function outcome({failure, summary, checkedAt, exitCode, tls}: CheckReport): string {
	const facts = [
		...(failure === null ? [] : [failure.certain ? failure.kind : `${failure.kind}, most likely`]),
		...(tls === null ? [] : [tls.protocol]),
		`checked on ${day(checkedAt)} at ${checkedAt.slice(11, 16)} UTC`,
		`exit code ${exitCode}`,
	];
	return `<section class="outcome ${failure === null ? 'good' : 'bad'}"><strong>${escapeHtml(sentence(summary))}</strong>
<span>${escapeHtml(facts.join(' · '))}</span></section>`;
}

function causes({reasons, hint}: CheckFailure): string {
	const items = reasons.map((reason) => `<li>${escapeHtml(reason)}</li>`).join('\n');
	return card(
		titleOf(reasons),
		`<ol>${items}</ol>\n<p class="hint"><b>What to do:</b> ${escapeHtml(hint)}</p>`,
	);
}

const signs: Readonly<Record<StepState, string>> = {good: '✓', bad: '✗', doubtful: '!', open: '·'};

function stepItem({title, state, text}: Step): string {
	return `<li class="${state}"><i>${signs[state]}</i><b>${escapeHtml(title)}</b><span>${escapeHtml(text)}</span></li>`;
}

function withNote(timeline: string): string {
	if (timeline === '') return '';
	return `${timeline}\n<p class="note">The scale is wide near today and narrow far away, so that weeks show beside years.</p>`;
}

function fullLink(link: Link): string {
	const rows = [
		['subject', link.subject],
		['issuer', link.issuer],
		['names', link.altNames.length > 0 ? listNames(link.altNames, 50) : 'none'],
		['valid', `${link.validFrom} to ${link.validTo}`],
		['pin', `${link.pin || 'none'}${link.pinned ? ' (pinned)' : ''}`],
		['SHA-256', link.fingerprint256],
	];
	const items = rows.map(
		([term = '', text = '']) => `<dt>${term}</dt><dd>${escapeHtml(text)}</dd>`,
	);
	return `<h3>${link.role}</h3><dl>${items.join('')}</dl>`;
}

function cookieList(cookies: readonly CheckedCookie[]): string {
	const items = cookies.map(
		({name, attributes}) =>
			`<dt>${escapeHtml(name || '(no name)')}</dt><dd>${escapeHtml(attributes.join('; ')) || 'no attributes'}</dd>`,
	);
	return items.length === 0 ? '' : `<dl>${items.join('')}</dl>`;
}
