/*
 * Why the server did not let us in, with what `check` has seen besides the failed connection.
 */
import type {CertificateFacts} from '../../index.ts';
import {exitCodes} from '../shared/exit-codes.ts';
import {commonName} from '../shared/format-certificate.ts';
import {type ClientCertificate, isRefusal} from './client-certificate.ts';
import type {ClassifiedError} from './failure.ts';
import {type Acceptance, listIssuers, ownIssuer} from './own-certificate.ts';
import type {CheckFailure} from './report.ts';
import type {Observations} from './requests.ts';
import {nameProtocol, type SpokenProtocol} from './spoken-protocol.ts';

/** The failure of a check; `undefined` when the server let us in. */
export function outcomeOf(
	seen: Observations,
	client: ClientCertificate,
	acceptance: Acceptance,
): ClassifiedError | undefined {
	const {error} = seen.attempt;
	if (error === undefined) return refusedByStatus(seen, client, acceptance);
	const {failure} = error;
	if (failure.kind === 'not-tls') return {...error, failure: spokenInstead(failure, seen)};
	const isAboutUs =
		failure.kind === 'client-certificate-refused' || failure.kind === 'client-certificate-required';
	if (!isAboutUs || decisive.has(error.alert)) return error;
	return {...error, failure: {...failure, ...explainRefusal(error, seen, client, acceptance)}};
}

/** Alerts that say what is wrong: the issuer is not. */
const decisive: ReadonlySet<string | undefined> = new Set([
	'access_denied',
	'certificate_expired',
	'certificate_revoked',
	'decrypt_error',
	'unsupported_certificate',
]);

type Explanation = Pick<CheckFailure, 'reasons' | 'hint'>;

function explainRefusal(
	error: ClassifiedError,
	seen: Observations,
	{ours}: ClientCertificate,
	acceptance: Acceptance,
): Explanation {
	const {reasons, hint} = error.failure;
	const {issuers = [], isIssuerNamed, unusableKey} = acceptance;
	if (ours === null) {
		if (issuers.length === 0) return {reasons, hint};
		const needed = `give a certificate that ${anyOf(issuers)} has issued, with \`--cert\` and \`--key\``;
		return {reasons, hint: needed};
	}
	// Ours was not sent, so that its issuer cannot matter.
	const wasUnsent = error.causes?.includes('no-fitting-key') ?? false;
	if (wasUnsent && unusableKey === undefined) return {reasons, hint};
	if (isIssuerNamed) return withNamedIssuer(error, ours, acceptance);
	return explainByRequest(seen, acceptance) ?? {reasons, hint};
}

interface Reason {
	readonly id: string | undefined;
	readonly text: string;
	/** What to do; `undefined`: see {@link withNamedIssuer}. */
	readonly repair: string | undefined;
}

/**
 * What is left of the causes where the server's list has the name of an issuer of ours. A name is not a
 * key: it may be that of another CA, such as one that was made anew.
 */
function withNamedIssuer(
	{failure: {reasons, hint, certain}, causes = []}: ClassifiedError,
	{fingerprint256}: CertificateFacts,
	acceptance: Acceptance,
): Explanation {
	const {isLastIssuerNamed, missingIssuer} = acceptance;
	const given = reasons.map((text, index): Reason => {
		const id = causes[index];
		// The hint is the repair of the first cause.
		const repair =
			id === 'own-chain-incomplete' && missingIssuer !== undefined && index > 0
				? addToOurs(missingIssuer)
				: index === 0
					? hint
					: undefined;
		return {id, text, repair};
	});
	const left = given.filter(({id}) => id !== 'own-chain-incomplete' || !isLastIssuerNamed);
	const at = left.findIndex(({id}) => id === 'issuer-not-trusted');
	if (at !== -1) {
		const [{id} = {id: undefined}] = left.splice(at, 1);
		const isOnly = left.length === 0;
		const namesake = {id, ...(isOnly ? onlyNamesake(acceptance) : maybeNamesake(acceptance))};
		// Without an alert or a page that speaks of the certificate it is no more likely than a missing right.
		const unregistered = left.findIndex((each) => each.id === 'not-registered');
		left.splice(certain ? at : Math.max(at, unregistered + 1), 0, namesake);
	}
	const [first] = left;
	return {
		reasons: left.map(({text}) => text),
		hint:
			first?.repair ??
			`ask the server's operator whether it accepts the certificate with fingerprint ${fingerprint256}${at === -1 ? '' : `, and ${compareCas(acceptance)}`}`,
	};
}

const issuerName = ({namedIssuer = ''}: Acceptance) => `'${commonName(namedIssuer)}'`;

const compareCas = (acceptance: Acceptance) =>
	`compare the fingerprint of the certificate of ${issuerName(acceptance)} here with the one that the server has`;

/** Nothing else explains the refusal. */
const onlyNamesake = (acceptance: Acceptance): Omit<Reason, 'id'> => ({
	text: `the server names ${issuerName(acceptance)} among the CAs that it accepts, and cannot verify ours by it: it has another certificate of that name, with another key, or lacks the CA above it`,
	repair: compareCas(acceptance),
});

const maybeNamesake = (acceptance: Acceptance): Omit<Reason, 'id'> => ({
	text: `the server may have another certificate of the name ${issuerName(acceptance)}, with another key, as after a CA was made anew: its list of the CAs that it accepts has only names`,
	repair: compareCas(acceptance),
});

/** What the server's request excludes; `undefined` where it excludes nothing. */
function explainByRequest(
	{own}: Observations,
	{
		issuers = [],
		isIssuerNamed,
		missingIssuer,
		isIntermediateMissing,
		unusableKey,
		signatureAlgorithms,
	}: Acceptance,
): Explanation | undefined {
	if (unusableKey !== undefined) {
		const only = signatureAlgorithms.join(', ');
		return {
			reasons: [
				`the server verifies only ${only}, which our ${unusableKey} key cannot make, so our certificate was not sent`,
			],
			hint: 'use a certificate with a key of another kind, or have the server accept its signatures',
		};
	}
	if (isIssuerNamed !== false) return undefined;
	const issuer = ownIssuer(own);
	const notAccepted = `our certificate was issued by '${issuer}'; the server accepts only certificates of ${listIssuers(issuers)}`;
	if (isIntermediateMissing && missingIssuer !== undefined) {
		const name = commonName(missingIssuer);
		return {
			reasons: [
				notAccepted,
				`one of these has issued '${name}', whose certificate is missing after ours`,
			],
			hint: `${addToOurs(missingIssuer)}, or use a certificate that ${anyOf(issuers)} has issued`,
		};
	}
	return {
		reasons: [notAccepted],
		hint: `use a certificate that ${anyOf(issuers)} has issued, or have the server's operator accept '${issuer}'`,
	};
}

const addToOurs = (missingIssuer: string) =>
	`put the certificate of '${commonName(missingIssuer)}' behind ours in \`--cert\``;

function anyOf(issuers: NonNullable<Acceptance['issuers']>): string {
	const names = listIssuers(issuers);
	return issuers.length === 1 ? names : `one of ${names}`;
}

function spokenInstead(failure: CheckFailure, {probe, server}: Observations): CheckFailure {
	const spoken = probe && nameProtocol(probe.greeting);
	if (spoken === undefined) return failure;
	const {name, line} = spoken;
	const tlsRequest = tlsRequestOf(spoken);
	return {
		...failure,
		message: `${server.host}:${server.port} speaks ${name}, not TLS`,
		reasons: [
			`the port is that of ${name}${line === undefined ? '' : `: it begins with '${line.slice(0, maxLine)}'`}`,
		],
		hint:
			tlsRequest === undefined
				? 'use the port on which the server speaks https'
				: `use the port on which the server speaks https; here, TLS begins with ${tlsRequest}`,
	};
}

const maxLine = 60;

/** By the word of OpenSSL. RFC 3207, RFC 9051 §6.2.1, RFC 2595 §4, RFC 4217 §4, MySQL: Protocol::SSLRequest. */
const tlsRequests: Readonly<Record<string, string>> = {
	smtp: 'the command STARTTLS',
	imap: 'the command STARTTLS',
	pop3: 'the command STLS',
	ftp: 'the command AUTH TLS',
	mysql: "the client's packet SSLRequest",
};

function tlsRequestOf({name, startTls = ''}: SpokenProtocol): string | undefined {
	if (name === 'SMTP or FTP') return 'the command STARTTLS or AUTH TLS';
	return tlsRequests[startTls];
}

function refusedByStatus(
	seen: Observations,
	client: ClientCertificate,
	acceptance: Acceptance,
): ClassifiedError | undefined {
	const {response} = seen.attempt.result;
	if (response === undefined || !isRefusal(response.status)) return undefined;
	const {message, reasons, hint} = explainStatus(response.status, seen, client, acceptance);
	return {
		failure: {kind: 'http-refusal', side: 'client', certain: true, message, reasons, hint},
		exitCode: exitCodes.refused,
	};
}

const notForUs = 'the path is not for everybody, whatever certificate is shown';
const wantsLogin = 'the server wants a login: a user and password, a token or a cookie';

function explainStatus(
	status: number,
	seen: Observations,
	{ours, requested, accepted}: ClientCertificate,
	acceptance: Acceptance,
): Explanation & Pick<CheckFailure, 'message'> {
	const login = status === 401 ? [wantsLogin] : [];
	const {issuers = []} = acceptance;
	if (ours === null && requested) {
		const of = issuers.length === 0 ? '' : ` that ${anyOf(issuers)} has issued`;
		return {
			message: `the server answered ${status}: it asked for a client certificate, and there was none to send`,
			reasons: ['the path needs a client certificate', ...(login.length > 0 ? login : [notForUs])],
			hint: `give a certificate${of}, with \`--cert\` and \`--key\``,
		};
	}
	if (ours === null) {
		return {
			message: `the server answered ${status}`,
			reasons: [...login, 'the path is not for everybody'],
			hint: "ask the server's operator who may read this path: the TLS is in order",
		};
	}
	const our = `our certificate '${commonName(ours.subject)}'`;
	if (!requested) {
		return {
			message: `the server answered ${status}, and did not ask for ${our}`,
			reasons: [
				'what answers the TLS there (a load balancer, a CDN, a virtual host) asks for no certificate, and the application behind it wants one',
				...login,
			],
			hint: 'have the server ask for a client certificate, for this host and path',
		};
	}
	const without = seen.attemptWithout?.result.response?.status;
	return {
		message: `the server answered ${status}: ${reception(our, accepted, status, without)}`,
		...(explainByRequest(seen, acceptance) ?? {
			reasons: [
				`${our}, issued by '${commonName(ours.issuer)}', is not registered there, or has no right to this path`,
				...(acceptance.isIssuerNamed ? [maybeNamesake(acceptance).text] : []),
				...login,
			],
			hint: `ask the server's operator what the certificate with fingerprint ${ours.fingerprint256} may read`,
		}),
	};
}

function reception(
	our: string,
	accepted: boolean | null,
	status: number,
	without: number | undefined,
): string {
	if (accepted) return `${our} was accepted in the handshake, and does not get us in`;
	if (without === undefined || without === status) return `${our} does not get us in`;
	return `without ${our} it answered ${without}`;
}
