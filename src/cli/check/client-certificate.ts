import {commonName} from '../shared/format-certificate.ts';
import {type Observations, observeTls} from './observations.ts';
import type {CheckReport, Step, StepState} from './report.ts';

type ClientCertificate = CheckReport['clientCertificate'];

/** Whether the server asks for a certificate, and takes ours: by what it does with it and without. */
export function checkClientCertificate(seen: Observations): ClientCertificate {
	const {answer, judged, without} = seen;
	const {ours} = answer;
	const requested =
		observeTls(answer).requested ?? (without && observeTls(without.answer).requested) ?? null;
	const kind = judged?.failure.kind;
	if (kind === 'client-certificate-required') {
		return {requested: true, required: true, accepted: ours && false, ours};
	}
	if (kind === 'client-certificate-refused') {
		return {requested: true, required: null, accepted: false, ours};
	}
	const {http} = answer;
	if (http === undefined || requested !== true) {
		return {requested, required: requested === false ? false : null, accepted: null, ours};
	}
	if (ours === null) return {requested, required: false, accepted: null, ours};
	const refused = without?.judged?.failure.side === 'client';
	const differs = without?.answer.http !== undefined && without.answer.http.status !== http.status;
	if (refused || differs) return {requested, required: true, accepted: true, ours};
	const same = without?.answer.http !== undefined;
	return {requested, required: same ? false : null, accepted: null, ours};
}

/** The same as a step. */
export function clientStep(client: ClientCertificate, seen: Observations): Step {
	const [state, text] = words(client, seen);
	return {id: 'client-certificate', title: 'client certificate', state, text};
}

function words(client: ClientCertificate, seen: Observations): [StepState, string] {
	const {requested, required, accepted, ours} = client;
	const our = ours && `our certificate '${commonName(ours.subject)}'`;
	if (requested === null) return ['open', 'it did not come to that'];
	if (!requested) {
		if (our === null) return ['good', 'the server does not ask for one'];
		return ['doubtful', `the server does not ask for one, so ${our} was not shown`];
	}
	if (accepted === false) return ['bad', `the server asks for one and did not accept ${our}`];
	if (our === null) {
		if (required) return ['bad', 'the server wants one, and we have none to show (--cert, --key)'];
		if (required === false) return ['good', 'the server asks for one and answers without'];
		return ['open', 'the server asks for one; we have none to show'];
	}
	if (accepted) return ['good', `the server asks for one and accepts ${our}; ${twin(seen)}`];
	if (required === false) {
		const text = `the server asks for one, and answers the same without ${our}: it may not look at it`;
		return ['doubtful', text];
	}
	return ['open', `the server asks for one; what it thinks of ${our} was not seen`];
}

function twin({without}: Observations): string {
	const status = without?.answer.http?.status;
	return status === undefined
		? 'without it, the server refuses us'
		: `without it, the server answers ${status}`;
}
