import type {CertificateFacts} from '../../index.ts';
import {exitCodes} from '../shared/exit-codes.ts';
import {daysUntil, validityOf} from '../shared/format-certificate.ts';
import {withoutSecrets} from '../shared/io.ts';
import {checkClientCertificate, isRefusal} from './client-certificate.ts';
import {outcomeOf} from './outcome.ts';
import {acceptanceStep, compareWithRequest, ownCertificateStep} from './own-certificate.ts';
import type {CheckedCookie, CheckReport, Link, Step} from './report.ts';
import {type Observations, observeTls} from './requests.ts';
import {connectionSteps, isPinned, verificationSteps} from './steps.ts';

/** Makes the report of a check, without the commands to try next. */
export function buildReport(seen: Observations): Omit<CheckReport, 'next'> {
	const {url, now, own} = seen;
	const {result} = seen.attempt;
	const {protocol, cipher = '', chain} = observeTls(result);
	const client = checkClientCertificate(seen);
	const {flight} = seen.probe ?? {};
	const request = flight?.state === 'done' ? flight.request : undefined;
	const acceptance = compareWithRequest(seen.own, request);
	const clientCertificate = {
		...client.facts,
		acceptedIssuers: acceptance.issuers?.map(({text}) => text) ?? null,
	};
	const failed = outcomeOf(seen, client.facts, acceptance);
	const {response} = result;
	const top = chain.at(-1);
	return {
		format: 1,
		url: withoutSecrets(url),
		checkedAt: now.toISOString(),
		exitCode: failed?.exitCode ?? exitCodes.answered,
		summary: failed?.failure.message ?? summarize(clientCertificate),
		steps: [
			...connectionSteps(seen),
			...verificationSteps(seen),
			...ownCertificateStep(own, now),
			...acceptanceStep(flight, acceptance, own, client.facts.accepted),
			client.step,
			responseStep(seen),
		],
		tls: protocol === undefined ? null : {protocol, cipher},
		chain: chain.map((certificate, index) => describeLink(certificate, index, seen)),
		missingIssuer: top === undefined || top.subject === top.issuer ? null : top.issuer,
		clientCertificate,
		http: response
			? {
					status: response.status,
					statusText: response.statusText,
					location: redirectTarget(response.location, url),
				}
			: null,
		cookies: (response?.setCookie ?? []).map(parseCookie),
		failure: failed?.failure ?? null,
	};
}

function summarize({ours, accepted, requested}: CheckReport['clientCertificate']): string {
	const server = 'the server is who it says it is';
	if (accepted) return `${server}, and it accepts our certificate`;
	if (ours === null) return `${server}, and it answered`;
	if (!requested) return `${server}, but it did not ask for our certificate`;
	return `${server}, and it answered; whether our certificate mattered cannot be seen`;
}

function describeLink(
	certificate: CertificateFacts,
	index: number,
	{now, pins}: Observations,
): Link {
	const {subject, issuer, validTo} = certificate;
	const days = daysUntil(validTo, now);
	return {
		role: index === 0 ? 'server' : subject === issuer ? 'root' : 'intermediate',
		...certificate,
		validity: validityOf(certificate, now),
		daysLeft: Number.isNaN(days) ? null : days,
		pinned: isPinned(certificate, pins),
	};
}

function responseStep({attempt: {result, error}, url}: Observations): Step {
	const step = {id: 'answer', title: 'answer'} as const;
	const {response} = result;
	if (response === undefined) {
		const text = error?.failure.kind === 'timeout' ? 'none in time' : 'none: the connection ended';
		return error !== undefined && result.facts !== undefined
			? {...step, state: 'bad', text}
			: {...step, state: 'open', text: 'not reached: nothing of the request was sent'};
	}
	const {status, statusText} = response;
	const target = redirectTarget(response.location, url);
	const to = target === null ? '' : `, on to ${target}`;
	const text = `HTTP ${status}${statusText && ` ${statusText}`}${to}`;
	if (error !== undefined || isRefusal(status)) return {...step, state: 'bad', text};
	return {...step, state: status < 400 ? 'good' : 'doubtful', text};
}

function redirectTarget(location: string | undefined, base: URL): string | null {
	if (location === undefined) return null;
	const target = URL.parse(location, base.href);
	// `mailto:` and the like have no origin.
	if (target === null || target.host === '') return '(not a web address)';
	return withoutSecrets(target);
}

/** RFC 6265 §4.1.1 and its successor. Security: any other attribute may be a secret. */
const knownAttributes =
	/^(domain|expires|httponly|max-age|partitioned|path|priority|samesite|secure)(=|$)/i;

/**
 * Name and attributes of a `Set-Cookie`.
 *
 * Security: no report contains the value. A cookie without a `=` is a value without a name.
 */
export function parseCookie(line: string): CheckedCookie {
	const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
	const end = pair.indexOf('=');
	return {
		name: end === -1 ? '' : pair.slice(0, end).trim(),
		attributes: attributes.filter((attribute) => knownAttributes.test(attribute)),
	};
}
