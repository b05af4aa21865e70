import type {CertificateFacts, FailureKind} from '../../index.ts';
import type {ExitCode} from '../shared/exit-codes.ts';

/** `open`: it could not be observed. */
export type StepState = 'good' | 'bad' | 'doubtful' | 'open';

export type StepId =
	| 'address'
	| 'connection'
	| 'tunnel'
	| 'protocol'
	| 'chain'
	| 'name'
	| 'pins'
	| 'revocation'
	| 'own-certificate'
	| 'accepted-issuers'
	| 'client-certificate'
	| 'answer';

export interface Step {
	readonly id: StepId;
	readonly title: string;
	readonly state: StepState;
	/** For people: a sentence without its full stop. */
	readonly text: string;
}

/** A certificate of the server's chain. */
export interface Link extends CertificateFacts {
	readonly role: 'server' | 'intermediate' | 'root';
	readonly validity: 'valid' | 'expired' | 'not-yet-valid';
	/** Whole days until it ends; `null` where that is no date. */
	readonly daysLeft: number | null;
	/** One of `--pin` matches its key. */
	readonly pinned: boolean;
}

/** Why there is no response, or one that refuses us. */
export interface CheckFailure {
	/** `http-refusal`: by the status of the response. */
	readonly kind: FailureKind | 'network' | 'timeout' | 'http-refusal';
	readonly side: 'server' | 'client' | 'proxy' | 'both' | 'network';
	readonly certain: boolean;
	readonly message: string;
	/** Most likely first. */
	readonly reasons: readonly string[];
	readonly hint: string;
}

/** A cookie that the server set. Security: without its value. */
export interface CheckedCookie {
	readonly name: string;
	/** `Path=/`, `Secure`: as the server wrote them. */
	readonly attributes: readonly string[];
}

/**
 * The results of `check`: `--json` prints them, and the text and the page are made from them. None is
 * secret.
 */
export interface CheckReport {
	/** Raised when a field changes its meaning. */
	readonly format: 1;
	/** Without user, password and query. */
	readonly url: string;
	/** ISO 8601, UTC. */
	readonly checkedAt: string;
	readonly exitCode: ExitCode;
	/** One sentence. */
	readonly summary: string;
	readonly steps: readonly Step[];
	readonly tls: {readonly protocol: string; readonly cipher: string} | null;
	/** Leaf first. */
	readonly chain: readonly Link[];
	/** The issuer of the last certificate of the chain, unless that is self-signed. */
	readonly missingIssuer: string | null;
	/** A field is `null` if it could not be observed. */
	readonly clientCertificate: {
		readonly requested: boolean | null;
		/** Without one, the server refuses the request or answers with another status. */
		readonly required: boolean | null;
		/** `false` also where the response to it is a refusal. */
		readonly accepted: boolean | null;
		/** The names of the CAs that the server accepts, by its CertificateRequest; empty when it names none. */
		readonly acceptedIssuers: readonly string[] | null;
		/** The client certificate of the options. */
		readonly ours: CertificateFacts | null;
	};
	readonly http: {
		readonly status: number;
		readonly statusText: string;
		/** The `Location` of a redirect, without user, password and query. */
		readonly location: string | null;
	} | null;
	readonly cookies: readonly CheckedCookie[];
	readonly failure: CheckFailure | null;
	/** Commands to try next, for a POSIX shell. */
	readonly next: readonly string[];
}
