import {type CertificateFacts, type ConnectionFacts, isMtlsError} from '../../index.ts';
import type {Judged} from './failure.ts';
import type {Answer, Complaints} from './requests.ts';
import type {Place, WayThere} from './tcp-probe.ts';

/** All that a check has found out, before it is judged. */
export interface Seen {
	readonly url: URL;
	readonly now: Date;
	readonly place: Place;
	readonly proxy: Place | undefined;
	readonly way: WayThere;
	/** With our certificate, if we have one. */
	readonly answer: Answer;
	/** Why `answer` is none. */
	readonly judged: Judged | undefined;
	/** The same without our certificate. */
	readonly without: {readonly answer: Answer; readonly judged: Judged | undefined} | undefined;
	readonly complaints: Complaints | undefined;
	readonly pins: readonly string[];
	readonly spiffeId: string | undefined;
	/** Revocation lists were given. */
	readonly withCrl: boolean;
}

/** What a TLS connection has shown, be it that it stood or that it failed. */
export interface TlsSeen {
	readonly protocol: string | undefined;
	readonly cipher: string | undefined;
	readonly requested: boolean | undefined;
	readonly chain: readonly CertificateFacts[];
	/** The server was verified: the connection stood. */
	readonly verified: boolean;
}

/** The TLS side of an answer. */
export function tlsSeen({facts, error}: Answer): TlsSeen {
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
}: ConnectionFacts): TlsSeen {
	return {protocol, cipher, requested: clientCertificateRequested, chain, verified: true};
}
