import {isIP} from 'node:net';
import type {CertificateFacts, FailureKind, FailureSide, MtlsFailure} from '../facts.ts';
import {day} from '../util/day.ts';
import {escapeControls} from '../util/escape-controls.ts';
import {isForServers} from '../util/purposes.ts';
import {authorityOf} from '../util/url.ts';
import {certificateRuleRows, unknownVerification} from './certificate-rules.ts';
import {refusedRows} from './client-certificate-refused.ts';
import {requiredRows} from './client-certificate-required.ts';
import {connectionRows, unknownHandshakeRow} from './connection.ts';
import type {
	Asked,
	ClientCertificateUse,
	Evidence,
	Facts,
	IncompleteChain,
	OutOfDate,
	PurposeFault,
	Row,
	Weakness,
	When,
	Words,
} from './facts.ts';
import {
	canSign,
	faultsOfOurs,
	looksIntermediate,
	type OwnFault,
	type OwnFaultId,
} from './our-certificate.ts';
import {proxyRows} from './proxy.ts';
import {responseRows} from './response.ts';
import {serverCertificateRows} from './server-certificate.ts';
import {serverChainRows} from './server-chain.ts';
import {alertOf} from './tls-alerts.ts';
import {namedMismatchRows, tlsParameterRows} from './tls-parameters.ts';

/** What a failure is, and why, in words. */
export interface Decision {
	readonly kind: FailureKind;
	readonly side: FailureSide;
	readonly certain: boolean;
	/** One sentence, lower-case start, no full stop: the error's message. */
	readonly summary: string;
	/** Ids of `reasons`. */
	readonly causes: readonly string[];
	/** Most likely first. */
	readonly reasons: readonly string[];
	/** One sentence: what to do. */
	readonly hint: string;
	readonly alert: string | undefined;
	readonly clientCertificate: ClientCertificateUse | undefined;
}

/** By failure, beside its public fields. */
const optionNames = new WeakMap<MtlsFailure, readonly string[]>();

/** Keeps the names of the options of `mtls` that the connection was made with: `pfx`, `proxy.ca`. */
export function keepOptionNames(failure: MtlsFailure, names: readonly string[]): void {
	optionNames.set(failure, names);
}

/** These names; `undefined` where they were not kept. */
export function optionNamesOf(failure: MtlsFailure): readonly string[] | undefined {
	return optionNames.get(failure);
}

/** The decision table: the first row whose conditions hold decides. */
export const table: readonly Row[] = [
	...responseRows,
	...proxyRows,
	...serverCertificateRows,
	...certificateRuleRows,
	...serverChainRows,
	...namedMismatchRows,
	...requiredRows,
	...refusedRows,
	...tlsParameterRows,
	...connectionRows,
	unknownVerification,
	unknownHandshakeRow,
];

/**
 * Says what a failure means.
 *
 * @returns `undefined` when TLS and the proxy are not the cause: there was no TCP connection, or the
 * server hung up after the handshake, and had asked for no certificate or had resumed a session.
 */
export function decide(evidence: Evidence): Decision | undefined {
	const facts = deriveFacts(evidence);
	const row = table.find(({when}) => matches(facts, when));
	if (row?.kind === undefined) return undefined;
	const {causes: given, certain, kind} = row;
	const listed = (typeof given === 'function' ? given(facts) : given)
		.filter(({when}) => when?.(facts) ?? true)
		.filter(({id}, index, all) => all.findIndex((each) => each.id === id) === index);
	const hint = listed[0]?.repair(facts) ?? 'see the cause';
	// Security: names in certificates are untrusted text, and they go to logs and terminals.
	return {
		kind,
		side: sideOf(kind),
		certain: typeof certain === 'function' ? certain(facts) : certain,
		summary: escapeControls(row.summary(facts)),
		causes: listed.map(({id}) => id),
		reasons: listed.map(({text}) => escapeControls(text(facts))),
		hint: escapeControls(hint),
		alert: facts.alert,
		clientCertificate: facts.use,
	};
}

function matches(facts: Facts, when: When): boolean {
	return Object.entries(when).every(([name, condition]) => {
		const value: unknown = facts[name as keyof When];
		if (condition instanceof RegExp) return condition.test(String(value));
		return Array.isArray(condition) ? condition.includes(value) : condition === value;
	});
}

function sideOf(kind: FailureKind): FailureSide {
	if (kind.startsWith('proxy-')) return 'proxy';
	if (kind.startsWith('client-certificate-')) return 'client';
	const both = ['protocol-mismatch', 'cipher-mismatch', 'legacy-renegotiation', 'not-tls', 'reset'];
	return both.includes(kind) ? 'both' : 'server';
}

/** Adds to the evidence what follows from it; what takes time is worked out when a row asks for it. */
function deriveFacts(evidence: Evidence): Facts {
	const {code = '', message, proxy, response, identity, chain} = evidence;
	const alert = alertOf(message);
	const text = `${code} ${message}`.toUpperCase().replaceAll(' ', '_');
	const facts: Facts = {
		...evidence,
		alert,
		text,
		asked: askedOf(evidence),
		offered: identity !== null,
		use: useOf(evidence, alert),
		httpVersion: evidence.alpn === 'h2' ? 'h2' : 'http/1.1',
		hasChain: chain.length > 0,
		status: response?.status,
		page: response?.page,
		proxyKind: proxy?.kind,
		proxyStatus: proxy?.status,
		spoke: proxy?.spoke,
		socks: proxy?.protocol.startsWith('socks') ?? false,
		weakness: weaknessOf(text),
		isAddress: isIP(evidence.servername) > 0,
		isWithheld: evidence.withheld !== undefined,
		isAnonymized: evidence.redirectedFrom !== undefined,
		get outOfDate() {
			return outOfDate(evidence);
		},
		get outOfDateLink() {
			return this.outOfDate.link;
		},
		get incomplete() {
			return incompleteChain(evidence);
		},
		get purposeFault() {
			return purposeFault(evidence);
		},
		get faults() {
			return identity === null ? [] : faultsFor(alert, evidence);
		},
		get hasProof() {
			return this.faults.length > 0;
		},
		get words() {
			return wordsOf(evidence, alert);
		},
	};
	return facts;
}

function askedOf({clientCertificateRequested, phase}: Evidence): Asked {
	if (clientCertificateRequested === undefined) return 'unknown';
	if (clientCertificateRequested) return 'yes';
	return phase === 'response' ? 'maybe later' : 'no';
}

function useOf(evidence: Evidence, alert: string | undefined): ClientCertificateUse | undefined {
	const {hasIdentity, identity, clientCertificateRequested, response} = evidence;
	if (!hasIdentity) return 'none';
	if (identity === null) return 'withheld';
	const hasAlert = alert === 'certificate_required' || alert === 'no_certificate';
	if (clientCertificateRequested === undefined) return undefined;
	if (!clientCertificateRequested) return 'not-asked';
	const {signatureAlgorithms, protocol, resumed} = evidence;
	const [leaf] = evidence.ours();
	// A resumed session has none, and needs none.
	if (resumed) return 'sent';
	// The key of an OpenSSL context of the app is not known.
	if (leaf === undefined) return hasAlert ? 'no-fitting-key' : 'sent';
	if (signatureAlgorithms.length === 0) {
		// Where there is none in common, OpenSSL sends no certificate.
		return hasAlert || response?.page === 'nginx-required' ? 'no-fitting-key' : 'sent';
	}
	return canSign(leaf, signatureAlgorithms, protocol) ? 'sent' : 'no-fitting-key';
}

/** The faults of our certificate that each alert is sent for (RFC 8446 §6.2); any for other alerts. */
const alertFaults: Readonly<Record<string, readonly OwnFaultId[]>> = {
	// Go sends it for one that is not valid yet, too.
	certificate_expired: ['own-expired', 'own-chain-expired', 'own-not-yet-valid'],
	unsupported_certificate: ['own-no-client-auth', 'own-key-usage', 'own-curve'],
	// Go sends it for whatever its verification objects to.
	bad_certificate: [
		'own-not-yet-valid',
		'own-expired',
		'own-chain-expired',
		'own-no-client-auth',
		'own-key-usage',
		'own-weak-signature',
		'own-short-key',
		'own-curve',
	],
	unknown_ca: ['own-chain-incomplete'],
	certificate_revoked: [],
	access_denied: [],
	decrypt_error: [],
};

function faultsFor(alert: string | undefined, evidence: Evidence): OwnFault[] {
	const relevant = alert === undefined ? undefined : alertFaults[alert];
	const context = {now: evidence.now, endsAtRoot: evidence.oursEndAtRoot()};
	return faultsOfOurs(evidence.ours(), context).filter(
		({id}) => relevant === undefined || relevant.includes(id),
	);
}

function weaknessOf(text: string): Weakness {
	if (/DH_KEY/.test(text)) return 'diffie-hellman';
	return /(MD|ALGORITHM)_TOO_WEAK/.test(text) ? 'digest' : 'key';
}

// OpenSSL looks at all of the chain, and its code does not say which certificate it means.
function outOfDate({chain, code, now, trust, identity}: Evidence): OutOfDate {
	const today = now.toISOString();
	const past = code === 'CERT_HAS_EXPIRED';
	const isWrong = (each: CertificateFacts) =>
		past ? each.validTo < today : each.validFrom > today;
	const wrong = chain.filter(isWrong);
	const index = wrong[0] === undefined ? 0 : chain.indexOf(wrong[0]);
	const certificate = chain[index];
	const date = past ? certificate?.validTo : certificate?.validFrom;
	const isOurs = certificate !== undefined && trust().held.has(certificate.fingerprint256);
	const link = index === 0 ? 'leaf' : isOurs ? 'our-ca' : 'intermediate';
	return {
		name: certificate === undefined ? 'the certificate' : `'${certificate.subject}'`,
		issuer: certificate?.issuer ?? '',
		date: date === undefined ? 'an unknown date' : day(date, now.getTime()),
		today: day(today, date === undefined ? undefined : Date.parse(date)),
		link,
		// A CA lives for years: when it is out of date too, or ours is, the clock is the likely cause.
		others: wrong.length > 1 || (!past && identity !== null && isWrong(identity)),
	};
}

function incompleteChain({chain, trust, unrelated}: Evidence): IncompleteChain {
	const [leaf] = chain;
	const last = chain.at(-1);
	if (leaf === undefined || last === undefined) return 'unknown-root';
	const {holdsLeaf, holdsTop, isPublic} = trust();
	if (holdsLeaf && leaf.subject !== leaf.issuer) return 'ca-holds-leaf';
	if (holdsTop) return 'ca-holds-intermediate';
	if (isPublic) return 'public-ca';
	if (last.subject === last.issuer) return 'unknown-root';
	const isIntermediate = looksIntermediate(last.issuer, last.caIssuers);
	if (unrelated().length > 0 && isIntermediate !== 'no') return 'wrong-intermediate';
	if (isIntermediate === 'yes') return 'leaf-of-intermediate';
	if (chain.length > 1) return 'unknown-root';
	// Between a CA of the same owner and the server there is more likely an intermediate than another root.
	return isIntermediate === 'unknown' && trust().holdsRelative
		? 'leaf-of-intermediate'
		: 'leaf-alone';
}

function purposeFault({details}: Evidence): PurposeFault {
	const [leaf, ...issuers] = details();
	if (issuers.some(({isCa}) => !isCa)) return 'issuer-is-no-ca';
	if (!isForServers(leaf?.purposes)) return 'no-server-auth';
	return issuers.some(({purposes}) => !isForServers(purposes)) ? 'issuer-purpose' : 'key-usage';
}

/** To the minute where the date that it is compared with is of the same day, or is not known. */
function today({now, code, identity}: Evidence): string {
	const date = now.toISOString();
	// OpenSSL does not tell the date of the list.
	const isList = code?.startsWith('CRL_') ?? false;
	const dates = identity === null ? [] : [identity.validFrom, identity.validTo];
	const near = dates.some((each) => each.slice(0, 10) === date.slice(0, 10));
	return day(date, isList || near ? now.getTime() : undefined);
}

/** The certificate of a hosting provider has hundreds. */
const maxNames = 5;

function wordsOf(evidence: Evidence, alert: string | undefined): Words {
	const {peer, chain, proxy, identity, host, port, response, options} = evidence;
	const [leaf] = chain;
	const altNames = leaf?.altNames ?? [];
	const more = altNames.length - maxNames;
	const version = (name: string) => name.replace('TLSv1', 'TLS 1').replace(/^TLS 1$/, 'TLS 1.0');
	const {minVersion, maxVersion = 'TLSv1.3'} = options;
	return {
		end: peer === 'server' ? 'the server' : 'the proxy',
		mtls: peer === 'server' ? 'mtls' : 'mtls.proxy',
		ca: options.caOption ?? (peer === 'server' ? 'mtls.ca' : 'mtls.proxy.ca'),
		address: authorityOf(host, port),
		proxy: proxy === undefined ? 'the proxy' : `${proxy.host}:${proxy.port}`,
		subject: leaf === undefined ? 'the certificate' : `'${leaf.subject}'`,
		issuer: leaf === undefined ? 'its issuer' : `'${leaf.issuer}'`,
		names:
			altNames.length === 0
				? 'no name at all'
				: altNames.slice(0, maxNames).join(', ') + (more > 0 ? ` and ${more} more` : ''),
		ours: identity === null ? 'our certificate' : `'${identity.subject}'`,
		alert: alert === undefined ? '' : `: ${alert}`,
		refusal:
			response !== undefined
				? `answered ${response.status}`
				: alert === undefined
					? 'hung up'
					: `sent ${alert}`,
		offer:
			minVersion === maxVersion
				? `${version(minVersion)} alone`
				: `${version(minVersion)} to ${version(maxVersion)}`,
		get today() {
			return today(evidence);
		},
	};
}
