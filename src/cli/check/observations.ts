import {type CertificateFacts, isMtlsError} from '../../index.ts';
import type {ClassifiedError} from './failure.ts';
import type {RequestResult, VerificationErrors} from './requests.ts';
import type {HostPort, ProbeResult} from './tcp-probe.ts';

/** A request, and why it failed. */
export interface Attempt {
	readonly result: RequestResult;
	readonly error: ClassifiedError | undefined;
}

/** All that a check has found out: what the report is made from. */
export interface Observations {
	readonly url: URL;
	readonly now: Date;
	readonly server: HostPort;
	readonly proxy: HostPort | undefined;
	readonly tcp: ProbeResult;
	/** With the client certificate, if there is one. */
	readonly attempt: Attempt;
	/** The same without it. */
	readonly attemptWithout: Attempt | undefined;
	readonly verificationErrors: VerificationErrors | undefined;
	readonly pins: readonly string[];
	readonly spiffeId: string | undefined;
	/** Revocation lists were given. */
	readonly hasCrl: boolean;
}

/** What was seen of a TLS connection, whether or not its handshake succeeded. */
export interface TlsObservations {
	readonly protocol: string | undefined;
	readonly cipher: string | undefined;
	readonly clientCertificateRequested: boolean | undefined;
	readonly chain: readonly CertificateFacts[];
	/** The handshake succeeded, so the server was verified. */
	readonly verified: boolean;
}

export function observeTls({facts, error}: RequestResult): TlsObservations {
	const seen = facts ?? (isMtlsError(error) ? error.failure : undefined);
	return {
		protocol: seen?.protocol,
		cipher: facts?.cipher,
		clientCertificateRequested: seen?.clientCertificateRequested,
		chain: seen?.chain ?? [],
		verified: facts !== undefined,
	};
}
