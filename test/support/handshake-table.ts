/*
 * Who shows what to whom, and what comes of it: each identity against each server, with TLS 1.2 and
 * 1.3. The wire test runs the cells with our client; another client (curl) can run them too, and has
 * to agree on `accepted`.
 */
import {
	type Credential,
	createTestPki,
	type MtlsServer,
	startMtlsServer,
	type TestPki,
} from '../../src/testing/index.ts';

export const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const identities = ['none', 'good', 'wrong CA', 'expired'] as const;
const servers = [
	'good',
	'expired',
	'wrong name',
	'self-signed',
	'unknown CA',
	'missing intermediate',
] as const;

type Version = (typeof versions)[number];
type IdentityName = (typeof identities)[number];
type ServerName = (typeof servers)[number];

/** The client's verdict. */
interface ClientVerdict {
	readonly kind: string;
	readonly side: 'server' | 'client';
	readonly phase: 'handshake' | 'verify' | 'response';
	readonly code: RegExp;
	readonly certain: boolean;
	readonly alert?: string;
}

/** The server's verdict, in the words of its record of the connection. */
interface ServerVerdict {
	readonly secure: boolean;
	readonly authorized: boolean;
	readonly error: string | undefined;
	/** Common name of the certificate that it saw. */
	readonly saw: string | undefined;
}

export interface Cell {
	readonly version: Version;
	readonly identity: IdentityName;
	readonly server: ServerName;
	readonly accepted: boolean;
	/** `undefined` where the request is answered. */
	readonly client: ClientVerdict | undefined;
	readonly verdict: ServerVerdict;
	/** Certificates that the client gets to know: what is sent, and the CA where it is known. */
	readonly chainLength: number;
}

type Defect = Pick<ClientVerdict, 'kind' | 'certain'> & {code: string; chainLength: number};

// A leaf on its own has the same code whether its CA is unknown or its intermediate was forgotten.
const defects: Readonly<Record<Exclude<ServerName, 'good'>, Defect>> = {
	expired: {kind: 'expired', code: 'CERT_HAS_EXPIRED', certain: true, chainLength: 2},
	'wrong name': {
		kind: 'wrong-name',
		code: 'ERR_TLS_CERT_ALTNAME_INVALID',
		certain: true,
		chainLength: 2,
	},
	'self-signed': {
		kind: 'self-signed',
		code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
		certain: true,
		chainLength: 1,
	},
	'unknown CA': {
		kind: 'untrusted-issuer',
		code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
		certain: false,
		chainLength: 1,
	},
	'missing intermediate': {
		kind: 'missing-intermediate',
		code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
		certain: false,
		chainLength: 1,
	},
};

const refusals: Readonly<Record<Exclude<IdentityName, 'good'>, string>> = {
	none: 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE',
	'wrong CA': 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
	expired: 'CERT_HAS_EXPIRED',
};

export const table: readonly Cell[] = versions.flatMap((version) =>
	servers.flatMap((server) => identities.map((identity) => expected(version, server, identity))),
);

function expected(version: Version, server: ServerName, identity: IdentityName): Cell {
	const saw = identity === 'none' ? undefined : identity;
	const defect = server === 'good' ? undefined : defects[server];
	const cell = {version, server, identity, chainLength: defect?.chainLength ?? 2};
	const accepted = {secure: true, authorized: true, error: undefined, saw};

	// With TLS 1.3 we judge first: the server's Finished arrives before our certificate is sent. With
	// TLS 1.2 the server judges before its Finished, so a server that refuses us is never verified.
	const weJudge = version === 'TLSv1.3' || identity === 'good';
	if (defect !== undefined && weJudge) {
		const verdict =
			version === 'TLSv1.2'
				? accepted
				: {secure: false, authorized: false, error: 'ECONNRESET', saw: undefined};
		return {...cell, accepted: false, client: refusedByUs(defect), verdict};
	}
	if (identity === 'good') return {...cell, accepted: true, client: undefined, verdict: accepted};
	return {
		...cell,
		accepted: false,
		client: identity === 'none' ? certificateRequired(version) : certificateRefused(version),
		verdict: {secure: false, authorized: false, error: refusals[identity], saw},
	};
}

function refusedByUs({kind, code, certain}: Defect): ClientVerdict {
	const exact = new RegExp(`^${code}$`);
	return {kind, side: 'server', phase: 'verify', code: exact, certain};
}

function certificateRequired(version: Version): ClientVerdict {
	const old = version === 'TLSv1.2';
	return {
		kind: 'client-certificate-required',
		side: 'client',
		phase: old ? 'handshake' : 'response',
		// OpenSSL has renamed the first one, and Node says EPROTO where it was writing.
		code: old ? /^(EPROTO|ERR_SSL_.*ALERT_HANDSHAKE_FAILURE)$/ : /ALERT_CERTIFICATE_REQUIRED$/,
		certain: true,
		alert: old ? 'handshake_failure' : 'certificate_required',
	};
}

// A Node server sends no alert when it refuses a certificate: it hangs up.
function certificateRefused(version: Version): ClientVerdict {
	return {
		kind: 'client-certificate-refused',
		side: 'client',
		phase: version === 'TLSv1.2' ? 'handshake' : 'response',
		code: /^ECONNRESET$/,
		certain: false,
	};
}

/** The certificates of the table; the common name of each client's is that of its identity. */
export interface Credentials {
	readonly pki: TestPki;
	readonly identities: Readonly<Record<IdentityName, Credential | undefined>>;
	readonly servers: Readonly<Record<ServerName, Credential>>;
}

export async function createCredentials(): Promise<Credentials> {
	const [pki, other] = await Promise.all([
		createTestPki(),
		createTestPki({commonName: 'Other Root CA'}),
	]);
	const intermediate = await pki.intermediate();
	return {
		pki,
		identities: {
			none: undefined,
			good: await pki.client({commonName: 'good'}),
			'wrong CA': await other.client({commonName: 'wrong CA'}),
			expired: await pki.client({commonName: 'expired', expired: true}),
		},
		servers: {
			good: await pki.server(),
			expired: await pki.server({expired: true}),
			'wrong name': await pki.server({names: ['other.test']}),
			'self-signed': await pki.server({selfSigned: true}),
			'unknown CA': await other.server(),
			'missing intermediate': await intermediate.server({omitIntermediates: true}),
		},
	};
}

/** The server of a cell; it requires a client certificate of `credentials.pki`. */
export function startCellServer(
	{pki, servers: credentials}: Credentials,
	{server, version}: Pick<Cell, 'server' | 'version'>,
): Promise<MtlsServer> {
	return startMtlsServer({
		pki,
		credential: credentials[server],
		minVersion: version,
		maxVersion: version,
	});
}
