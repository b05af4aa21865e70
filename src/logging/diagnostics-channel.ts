/*
 * The named channels of node:diagnostics_channel. They cost nothing without a subscriber.
 */
import {channel} from 'node:diagnostics_channel';
import type {CertificateFacts, ConnectionFacts, MtlsFailure} from '../facts.ts';

/** On `axios-mtls:handshake`: a TLS connection was established. */
export interface HandshakeEvent extends ConnectionFacts {
	readonly host: string;
	readonly port: number;
	readonly servername: string;
}

/** On `axios-mtls:failure`: the client refused the server, or the server the client. */
export interface FailureEvent extends MtlsFailure {
	readonly code: string;
	readonly message: string;
	/** `false` with `verify: 'report'`: the request was sent all the same. */
	readonly enforced: boolean;
}

/** On `axios-mtls:identity`: a client certificate was loaded, or there is a warning about it. */
export interface IdentityEvent {
	/**
	 * `identity_loaded`, `identity_rotated`, `rotation_failed`; `identity_expiring` (with `validTo` and
	 * `daysLeft`), `identity_expired`, `identity_not_yet_valid`, `identity_wrong_purpose` and
	 * `file_exposed`, each with `shownTo`: `server`, or `proxy` for the certificate in `mtls.proxy`.
	 */
	readonly event: string;
	readonly identity: CertificateFacts | null;
	readonly [fact: string]: unknown;
}

/** On `axios-mtls:login`: the login of a session ended. */
export interface LoginEvent {
	/** `login_adopted`: another process had logged in. */
	readonly event: 'logged_in' | 'login_adopted' | 'login_failed';
	readonly durationMs: number;
	/** Why it failed; never the message of what the login threw. */
	readonly code?: string;
	readonly message?: string;
	/** How long requests fail at once, without another login. */
	readonly retryAfterMs?: number;
}

/** The names of the channels, and what is published on each. */
export interface MtlsEvents {
	'axios-mtls:handshake': HandshakeEvent;
	'axios-mtls:failure': FailureEvent;
	'axios-mtls:identity': IdentityEvent;
	'axios-mtls:login': LoginEvent;
}

const channels = {
	'axios-mtls:handshake': channel('axios-mtls:handshake'),
	'axios-mtls:failure': channel('axios-mtls:failure'),
	'axios-mtls:identity': channel('axios-mtls:identity'),
	'axios-mtls:login': channel('axios-mtls:login'),
};

/** Publishes what `make` returns, which is called only when there is a subscriber. */
export function publish<Name extends keyof MtlsEvents>(
	name: Name,
	make: () => MtlsEvents[Name],
): void {
	const target = channels[name];
	if (target.hasSubscribers) target.publish(make());
}
