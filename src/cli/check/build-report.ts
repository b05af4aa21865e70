import type {CertificateFacts} from '../../index.ts';
import {exitCodes} from '../shared/exit-codes.ts';
import {daysUntil} from '../shared/format-certificate.ts';
import {type Observations, observeTls} from './observations.ts';
import type {CheckedCookie, CheckReport, Link, Step} from './report.ts';
import {
	checkClientCertificate,
	clientStep,
	connectionSteps,
	isPinned,
	verificationSteps,
} from './steps.ts';

/** Makes the report of what was seen, all but the commands to try next. Touches nothing outside. */
export function buildReport(seen: Observations): Omit<CheckReport, 'next'> {
	const {answer, judged, url, now} = seen;
	const {protocol, cipher = '', chain} = observeTls(answer);
	const client = checkClientCertificate(seen);
	const http = answer.http;
	const top = chain.at(-1);
	return {
		format: 1,
		url: withoutSecrets(url),
		checkedAt: now.toISOString(),
		exitCode: judged?.exitCode ?? exitCodes.answered,
		summary: judged?.failure.message ?? allWell(client),
		steps: [
			...connectionSteps(seen),
			...verificationSteps(seen),
			clientStep(client, seen),
			answerStep(seen),
		],
		tls: protocol === undefined ? null : {protocol, cipher},
		chain: chain.map((certificate, index) => link(certificate, index, seen)),
		missingIssuer: top === undefined || top.subject === top.issuer ? null : top.issuer,
		clientCertificate: client,
		http: http
			? {status: http.status, statusText: http.statusText, location: redirect(http.location, url)}
			: null,
		cookies: (http?.setCookie ?? []).map(parseCookie),
		failure: judged?.failure ?? null,
	};
}

function allWell({ours, accepted, requested}: CheckReport['clientCertificate']): string {
	const server = 'the server is who it says it is';
	if (accepted) return `${server}, and it accepts our certificate`;
	if (ours === null) return `${server}, and it answered`;
	if (!requested) return `${server}, but it did not ask who we are`;
	return `${server}, and it answered; whether our certificate mattered cannot be seen`;
}

function link(certificate: CertificateFacts, index: number, {now, pins}: Observations): Link {
	const {subject, issuer, validFrom, validTo} = certificate;
	const days = daysUntil(validTo, now);
	const time = now.getTime();
	const validity =
		Date.parse(validTo) < time
			? 'expired'
			: Date.parse(validFrom) > time
				? 'not-yet-valid'
				: 'valid';
	return {
		role: index === 0 ? 'server' : subject === issuer ? 'root' : 'intermediate',
		...certificate,
		validity,
		daysLeft: Number.isNaN(days) ? null : days,
		pinned: isPinned(certificate, pins),
	};
}

function answerStep({answer, judged, url}: Observations): Step {
	const step = {id: 'answer', title: 'answer'} as const;
	const {http} = answer;
	if (http === undefined) {
		const cut = judged !== undefined && answer.facts !== undefined;
		return cut
			? {...step, state: 'bad', text: judged.failure.message}
			: {...step, state: 'open', text: 'nothing was sent'};
	}
	const {status, statusText} = http;
	const location = redirect(http.location, url);
	const to = location === null ? '' : `, on to ${location}`;
	const text = `HTTP ${status}${statusText && ` ${statusText}`}${to}`;
	return {...step, state: status < 400 ? 'good' : 'doubtful', text};
}

/** Security: a query may hold a token, and user and password stand before the host. */
function withoutSecrets({origin, pathname}: URL): string {
	return `${origin}${pathname}`;
}

function redirect(location: string | undefined, base: URL): string | null {
	if (location === undefined) return null;
	const target = URL.parse(location, base.href);
	// `mailto:` and the like have no origin to tell.
	if (target === null || target.host === '') return '(not a web address)';
	return withoutSecrets(target);
}

// Those that are known (RFC 6265 §4.1.1 and its successor): what else stands there may be anything.
const known = /^(domain|expires|httponly|max-age|partitioned|path|priority|samesite|secure)(=|$)/i;

/**
 * Name and attributes of a `Set-Cookie`.
 *
 * Security: the value is dropped here, before anything can tell it. A cookie without a `=` is a
 * value without a name.
 */
export function parseCookie(line: string): CheckedCookie {
	const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
	const end = pair.indexOf('=');
	return {
		name: end === -1 ? '' : pair.slice(0, end).trim(),
		attributes: attributes.filter((attribute) => known.test(attribute)),
	};
}
