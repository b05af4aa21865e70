/*
 * Whether the server asks for a client certificate, and whether ours gets us in: from its responses with
 * and without it.
 */
import {commonName} from '../shared/format-certificate.ts';
import type {ClassifiedError} from './failure.ts';
import type {CheckReport, Step, StepState} from './report.ts';
import {type Attempt, type Observations, observeTls} from './requests.ts';

export type ClientCertificate = Omit<CheckReport['clientCertificate'], 'acceptedIssuers'>;

interface Verdict extends Pick<ClientCertificate, 'required' | 'accepted'> {
	readonly state: StepState;
	readonly text: string;
}

/** What the server does with the client certificate, and the step that says so. */
export function checkClientCertificate(seen: Observations): {
	readonly facts: ClientCertificate;
	readonly step: Step;
} {
	const requested = wasRequested(seen);
	const {required, accepted, state, text} = judge(seen, requested);
	return {
		facts: {requested, required, accepted, ours: seen.attempt.result.clientCertificate},
		step: {id: 'client-certificate', title: 'client certificate', state, text},
	};
}

/** The statuses by which a server refuses a client: those of HTTP, and two of nginx for certificates. */
const refusals: ReadonlySet<number | undefined> = new Set([401, 403, 495, 496]);

/** Whether a response with this status refuses the client. */
export function isRefusal(status: number | undefined): boolean {
	return refusals.has(status);
}

function wasRequested({attempt, attemptWithout}: Observations): boolean | null {
	const observed =
		observeTls(attempt.result).clientCertificateRequested ??
		(attemptWithout && observeTls(attemptWithout.result).clientCertificateRequested);
	if (observed !== undefined) return observed;
	return attempt.error?.failure.side === 'client' ? true : null;
}

function judge(seen: Observations, requested: boolean | null): Verdict {
	const {attempt, attemptWithout} = seen;
	const {response, clientCertificate: ours} = attempt.result;
	const our = ours && `our certificate '${commonName(ours.subject)}'`;
	switch (attempt.error?.failure.kind) {
		case 'client-certificate-required':
			return required(our, requested);
		case 'client-certificate-refused':
			return refused(our ?? 'our certificate', attempt);
	}
	const open = {required: null, accepted: null, state: 'open'} as const;
	if (requested === null) return {...open, text: 'not reached'};
	if (response === undefined) {
		const asks = requested ? 'the server asks for one' : 'the server does not ask for one';
		const isUnverified = attempt.error?.failure.side === 'server';
		const then = isUnverified
			? beforeVerified(our, requested, attempt.error?.use)
			: '; there was no response';
		return {...open, required: requested ? null : false, text: `${asks}${then}`};
	}
	const {status} = response;
	if (!requested) return notRequested(our, status);
	if (our === null) return noneShown(status);
	const withOurs = {status, digest: response.body?.sha256};
	if (attemptWithout?.error?.failure.side === 'client') return onlyWith(our, status);
	const without = attemptWithout?.result.response;
	if (without === undefined) {
		const text = `the server asks for one; whether it accepts ${our} was not seen`;
		return isRefusal(status)
			? {...open, state: 'bad', text: `the server asks for one, and answers ${status} to ${our}`}
			: {...open, text};
	}
	return compare(our, withOurs, {status: without.status, digest: without.body?.sha256});
}

/** What a server got that was refused. */
function beforeVerified(
	our: string | null,
	requested: boolean,
	use: ClassifiedError['use'],
): string {
	if (our === null) return requested ? '; there was none to send' : '';
	if (!requested) return `, so ${our} was not sent`;
	return use === 'sent'
		? `, and got ${our}, not its key: TLS 1.2 sends it before the server is verified`
		: `; ${our} was not sent`;
}

function required(our: string | null, requested: boolean | null): Verdict {
	const verdict = {required: true, accepted: our === null ? null : false, state: 'bad'} as const;
	if (requested === false) {
		const sent = our === null ? '' : `, so ${our} was not sent`;
		const text = `not asked for in the handshake${sent}; by its answer, the server wants one`;
		return {...verdict, text};
	}
	return our === null
		? {...verdict, text: 'the server wants one, and we have none to show (--cert, --key)'}
		: {...verdict, text: `the server wants one, and ${our} was not sent`};
}

/** Alerts of a server that has got no certificate. */
const noneReceived: ReadonlySet<string | undefined> = new Set([
	'certificate_required',
	'no_certificate',
]);

function refused(our: string, {error}: Attempt): Verdict {
	const {alert, failure} = error ?? {};
	const verdict = {required: null, accepted: false, state: 'bad'} as const;
	if (noneReceived.has(alert)) {
		const text = `the server asks for one and got none (${alert}): ${our} was not sent`;
		return {...verdict, required: true, text};
	}
	const how = alert === undefined ? '' : ` (${alert})`;
	return failure?.certain
		? {...verdict, text: `the server asks for one and does not accept ${our}${how}`}
		: {...verdict, text: `the server asks for one, got ${our}, and ended the connection${how}`};
}

function notRequested(our: string | null, status: number): Verdict {
	const verdict = {required: false, accepted: null} as const;
	const state = our !== null || isRefusal(status) ? 'doubtful' : 'good';
	const unsent = our === null ? '' : `, so ${our} was not sent`;
	return {...verdict, state, text: `the server does not ask for one${unsent}`};
}

function noneShown(status: number): Verdict {
	const verdict = {required: false, accepted: null} as const;
	if (isRefusal(status)) {
		const text = `the server asks for one, got none (--cert, --key), and answers ${status}`;
		return {...verdict, required: null, state: 'bad', text};
	}
	if (status >= 500) {
		const text = `the server asks for one; without it, it answers ${status}`;
		return {...verdict, required: null, state: 'open', text};
	}
	return {...verdict, state: 'good', text: 'the server asks for one and answers without'};
}

/** Without it the server refuses the connection, or answers by a page that says so. */
function onlyWith(our: string, status: number): Verdict {
	const verdict = {required: true, accepted: true} as const;
	const without = 'without it, the server refuses us';
	if (isRefusal(status)) {
		const text = `the handshake accepts ${our} (${without}), but the answer is ${status}`;
		return {...verdict, state: 'doubtful', text};
	}
	return {...verdict, state: 'good', text: `the server accepts ${our}; ${without}`};
}

interface Answer {
	readonly status: number;
	readonly digest: string | undefined;
}

function compare(our: string, withOurs: Answer, without: Answer): Verdict {
	const [status, other] = [withOurs.status, without.status];
	const verdict = {required: null, accepted: null} as const;
	if (isRefusal(status)) {
		const refusal = {...verdict, accepted: false, state: 'bad'} as const;
		if (other === status) {
			const text = `${our} does not get us in: ${status} with it, ${other} without`;
			return {...refusal, text};
		}
		const text = isRefusal(other)
			? `the server looks at ${our}, and does not let it in: ${status} with it, ${other} without`
			: `the server turns ${our} away: ${status} with it, ${other} without`;
		return {...refusal, text};
	}
	if (other === status) return same(our, withOurs, without);
	const both = `${status} with it, ${other} without`;
	if (status >= 500) {
		const text = `${both}: whether the server accepts ${our} cannot be seen`;
		return {...verdict, state: 'open', text};
	}
	if (other >= 300 && other < 500) {
		const text = `the server accepts ${our}: ${both}`;
		return {required: true, accepted: true, state: 'good', text};
	}
	return {...verdict, state: 'doubtful', text: `the server looks at ${our}: ${both}`};
}

function same(our: string, withOurs: Answer, without: Answer): Verdict {
	const {status} = withOurs;
	const open = {required: null, accepted: null, state: 'open'} as const;
	if (status >= 500) {
		const text = `the server fails (${status}) with ${our} and without it: whether it accepts it cannot be seen`;
		return {...open, text};
	}
	const isKnown = withOurs.digest !== undefined && without.digest !== undefined;
	if (isKnown && withOurs.digest === without.digest) {
		const text = `the server asks for one, and answers the same (${status}) without ${our}: it may not look at it`;
		return {required: false, accepted: null, state: 'doubtful', text};
	}
	const bodies = isKnown ? ', with different bodies' : '';
	const text = `${status} with ${our} and without it${bodies}: whether the server looks at it cannot be seen`;
	return {...open, text};
}
