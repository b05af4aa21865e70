import {type CertificateFacts, type ConnectionFacts, isMtlsError} from '../../index.ts';
import type {ClassifiedError} from './failure.ts';
import type {Answer, VerificationErrors} from './requests.ts';
import type {HostPort, ProbeResult} from './tcp-probe.ts';

/** All that a check has found out, before it is judged. */
export interface Observations {
	readonly url: URL;
	readonly now: Date;
	readonly place: HostPort;
	readonly proxy: HostPort | undefined;
	readonly way: ProbeResult;
	/** With our certificate, if we have one. */
	readonly answer: Answer;
	/** Why `answer` is none. */
	readonly judged: ClassifiedError | undefined;
	/** The same without our certificate. */
	readonly without:
		| {readonly answer: Answer; readonly judged: ClassifiedError | undefined}
		| undefined;
	readonly complaints: VerificationErrors | undefined;
	readonly pins: readonly string[];
	readonly spiffeId: string | undefined;
	/** Revocation lists were given. */
	readonly withCrl: boolean;
}

/** What a TLS connection has shown, be it that it stood or that it failed. */
export interface TlsObservations {
	readonly protocol: string | undefined;
	readonly cipher: string | undefined;
	readonly requested: boolean | undefined;
	readonly chain: readonly CertificateFacts[];
	/** The server was verified: the connection stood. */
	readonly verified: boolean;
}

/** The TLS side of an answer. */
export function observeTls({facts, error}: Answer): TlsObservations {
	if (facts !== undefined) return fromFacts(facts);
	const failure = isMtlsError(error) ? error.failure : undefined;
	return {
		protocol: failure?.protocol,
		cipher: undefined,
		requested: failure?.clientCertificateRequested,
		chain: failure?.chain ?? [],
		verified: false,
	};
}

function fromFacts({
	protocol,
	cipher,
	clientCertificateRequested,
	chain,
}: ConnectionFacts): TlsObservations {
	return {protocol, cipher, requested: clientCertificateRequested, chain, verified: true};
}
