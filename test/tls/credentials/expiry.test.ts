import {setImmediate} from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import {describe, expect, test} from 'vitest';
import {type ExpiryClock, ExpiryWatch} from '../../../src/connection/expiry-watch.ts';
import type {ClientCertificate} from '../../../src/logging/messages.ts';
import {
	type ExpiryWarning,
	expirySteps,
	formatTimeLeft,
} from '../../../src/tls/credentials/expiry.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

describe('the steps before the end of a certificate', () => {
	const stepsOf = (lifeMs: number, isRenewed: boolean) =>
		expirySteps({validFrom: 0, validTo: lifeMs}, isRenewed).map((ms) => ms / DAY_MS);

	test.each([
		['a year', 365, [30, 7, 1, 0]],
		['ten days', 10, [30, 7, 1, 0]],
		['seven days and a second', 7 + SECOND_MS / DAY_MS, [30, 7, 1, 0]],
		['seven days', 7, [1.75, 1, 0]],
		['four days and a second', 4 + SECOND_MS / DAY_MS, [1 + SECOND_MS / DAY_MS / 4, 1, 0]],
		['four days', 4, [1, 0]],
		['a day', 1, [0.25, 0]],
		['an hour', 1 / 24, [1 / 96, 0]],
	])(
		'the warning steps of a certificate that lives %s, and that nothing renews, are fixed unless it is short-lived',
		(_, days, steps) => {
			expect(stepsOf(days * DAY_MS, false)).toEqual(steps);
		},
	);

	test.each([
		['a year', 365, [30, 7, 1, 0]],
		['120 days', 120, [30, 7, 1, 0]],
		['90 days', 90, [22.5, 7, 1, 0]],
		['ten days', 10, [2.5, 1, 0]],
		['a day', 1, [0.25, 0]],
	])(
		'the warning steps of a certificate that lives %s, and is renewed, begin when a quarter of its life is left',
		(_, days, steps) => {
			expect(stepsOf(days * DAY_MS, true)).toEqual(steps);
		},
	);

	test('the warning steps of a certificate of unknown lifetime are fixed', () => {
		const steps = expirySteps({validFrom: Number.NaN, validTo: 0}, true);
		expect(steps.map((ms) => ms / DAY_MS)).toEqual([30, 7, 1, 0]);
	});
});

test.each([
	[30 * DAY_MS, '30 days'],
	// A timer that is late by less than a minute has waited for the whole of it.
	[7 * DAY_MS - 5, '7 days'],
	[7 * DAY_MS - MINUTE_MS, '7 days'],
	[7 * DAY_MS - MINUTE_MS - 1, '6 days'],
	[DAY_MS, '1 day'],
	[DAY_MS - MINUTE_MS - 1, '23 hours'],
	[HOUR_MS, '1 hour'],
	[HOUR_MS - MINUTE_MS - 1, 'less than an hour'],
	[0, 'less than an hour'],
])('a remaining time of %i ms is written as %s', (ms, words) => {
	expect(formatTimeLeft(ms)).toBe(words);
});

/** Time that passes when it is told to; what is to be woken then is woken, a little late. */
class TestClock implements ExpiryClock {
	time: number;
	readonly sleeping = new Map<() => void, number>();
	/** The longest that anything slept. */
	longestMs = 0;
	lateMs = 3;

	constructor(time: number) {
		this.time = time;
	}

	now(): number {
		return this.time;
	}

	wakeIn(ms: number, wake: () => void): () => void {
		this.longestMs = Math.max(this.longestMs, ms);
		this.sleeping.set(wake, this.time + ms);
		return () => this.sleeping.delete(wake);
	}

	/** As a machine that sleeps: its timers wait for what they had to wait for, afterwards. */
	suspend(ms: number): void {
		this.time += ms;
		for (const [wake, at] of this.sleeping) this.sleeping.set(wake, at + ms);
	}

	to(time: number): void {
		for (;;) {
			const [next] = [...this.sleeping].sort(([, a], [, b]) => a - b);
			if (next === undefined || next[1] + this.lateMs > time) break;
			this.time = next[1] + this.lateMs;
			this.sleeping.delete(next[0]);
			next[0]();
		}
		this.time = time;
	}
}

const end = Date.UTC(2030, 0, 1);

function ours({
	validFrom = end - 365 * DAY_MS,
	validTo = end,
	...rest
}: Partial<ClientCertificate> & {
	validFrom?: number;
	validTo?: number;
	name?: string;
} = {}): ClientCertificate {
	const {name = 'alice', renewedBy} = rest;
	return {
		facts: {
			subject: `CN=${name}`,
			issuer: 'CN=ca',
			altNames: [],
			validFrom: new Date(validFrom).toISOString(),
			validTo: new Date(validTo).toISOString(),
			fingerprint256: name,
			pin: '',
			caIssuers: [],
		},
		shownTo: 'server',
		renewedBy,
	};
}

function watching(now: number) {
	const clock = new TestClock(now);
	const told: [daysBefore: number, event: string, daysLeft?: number][] = [];
	const tell = (warning: ExpiryWarning, {facts}: ClientCertificate, at: number) => {
		const before = Math.round((Date.parse(facts.validTo) - at) / HOUR_MS) / 24;
		told.push(
			'daysLeft' in warning ? [before, warning.event, warning.daysLeft] : [before, warning.event],
		);
	};
	return {clock, told, watch: new ExpiryWatch(tell, clock)};
}

const expiring = (days: number) => [days, 'identity_expiring', Math.floor(days)];
const ended = [-0, 'identity_expired'];

describe('a certificate in use', () => {
	test('a certificate in use is warned about 30, 7 and 1 days before its end and at the end, and never again', () => {
		const {clock, told, watch} = watching(end - 100 * DAY_MS);
		watch.add({}, [ours()]);
		clock.to(end - 30 * DAY_MS - 1);
		expect(told).toEqual([]);
		clock.to(end + 400 * DAY_MS);
		expect(told).toEqual([expiring(30), expiring(7), expiring(1), ended]);
		expect(clock.sleeping.size).toBe(0);
	});

	test('a certificate in use is valid at its last moment, and not at the next', () => {
		const {clock, told, watch} = watching(end - HOUR_MS);
		clock.lateMs = 0;
		watch.add({}, [ours()]);
		clock.to(end);
		expect(told).toEqual([]);
		clock.to(end + 1);
		expect(told).toEqual([ended]);
	});

	test('a certificate that lives a day is warned about when a quarter is left, and at the end', () => {
		const validFrom = end - DAY_MS;
		const {clock, told, watch} = watching(validFrom);
		watch.add({}, [ours({validFrom})]);
		clock.to(end + DAY_MS);
		expect(told).toEqual([expiring(0.25), ended]);
	});

	test('a certificate is warned about once, as things stand, after a sleep over several steps', () => {
		const {clock, told, watch} = watching(end - 100 * DAY_MS);
		watch.add({}, [ours()]);
		// It is awake for an hour before the timer ends.
		clock.suspend(97 * DAY_MS - HOUR_MS);
		clock.to(end - 2 * DAY_MS);
		expect(told).toEqual([expiring(3)]);
		clock.to(end + DAY_MS);
		expect(told.slice(1)).toEqual([expiring(1), ended]);
	});

	test('a certificate is warned about within the hour after the clock was set forward', () => {
		const {clock, told, watch} = watching(end - 100 * DAY_MS);
		watch.add({}, [ours()]);
		const [[wake] = [() => {}]] = clock.sleeping;
		clock.time = end - 10 * DAY_MS;
		wake();
		expect(told).toEqual([expiring(10)]);
		expect(clock.longestMs).toBe(HOUR_MS);
	});

	test('a certificate is not warned about twice within a day, except at its end', () => {
		const {clock, told, watch} = watching(end - 7.5 * DAY_MS);
		const certificate = ours();
		const warning = {event: 'identity_expiring', validTo: '', daysLeft: 7} as const;
		expect(watch.isNews(warning, certificate.facts)).toBe(true);
		watch.add({}, [certificate]);
		clock.to(end - 7.5 * DAY_MS + DAY_MS - 1);
		expect(watch.isNews(warning, certificate.facts)).toBe(false);
		expect(watch.isNews(warning, ours({name: 'bob'}).facts)).toBe(true);
		clock.to(end - 7.5 * DAY_MS + DAY_MS);
		expect(watch.isNews(warning, certificate.facts)).toBe(true);
		clock.to(end + DAY_MS);
		expect(told).toEqual([expiring(1), ended]);
	});

	test('a certificate is warned about no more once it is replaced, or the watch is closed', () => {
		const {clock, told, watch} = watching(end - 100 * DAY_MS);
		const [old, next] = [{}, {}];
		watch.add(old, [ours()]);
		watch.add(next, [ours({name: 'bob', validTo: end + 20 * DAY_MS})]);
		watch.remove(old);
		clock.to(end - 9 * DAY_MS);
		expect(told).toEqual([[30, 'identity_expiring', 30]]);
		watch.close();
		expect(clock.sleeping.size).toBe(0);
		watch.add({}, [ours()]);
		clock.to(end + 400 * DAY_MS);
		expect(told).toHaveLength(1);
	});

	test('a certificate may be removed by the function that receives the warning', () => {
		const clock = new TestClock(end - 31 * DAY_MS);
		const told: string[] = [];
		const watch = new ExpiryWatch((_, {facts}) => {
			told.push(facts.subject);
			watch.close();
		}, clock);
		watch.add({}, [ours()]);
		watch.add({}, [ours({name: 'bob'})]);
		clock.to(end + DAY_MS);
		expect(told).toEqual(['CN=alice']);
		expect(clock.sleeping.size).toBe(0);
	});

	test('a certificate with invalid dates is never warned about', () => {
		const {clock, watch} = watching(end);
		const {facts, ...rest} = ours();
		watch.add({}, [{...rest, facts: {...facts, validTo: 'Bad time value'}}]);
		expect(clock.sleeping.size).toBe(0);
	});
});

test('a thousand certificates have one timer, and each is warned about at its time', () => {
	const {clock, told, watch} = watching(end - 100 * DAY_MS);
	const owners = Array.from({length: 1_000}, (_, index) => ({index}));
	for (const owner of owners) {
		const validTo = end - owner.index * HOUR_MS;
		watch.add(owner, [ours({name: `${owner.index}`, validTo, validFrom: 0})]);
		expect(clock.sleeping.size).toBe(1);
	}
	clock.to(end + DAY_MS);
	expect(told).toHaveLength(4_000);
	expect(clock.longestMs).toBeLessThanOrEqual(2 ** 31 - 1);
	for (const owner of owners) watch.remove(owner);
	expect(clock.sleeping.size).toBe(0);
});

test('an expiry watch that is no longer referenced is not kept by its timer', async () => {
	v8.setFlagsFromString('--expose-gc');
	const collect = vm.runInNewContext('gc') as () => void;
	const clock = new TestClock(end - 100 * DAY_MS);
	const told: string[] = [];
	const reference = (() => {
		const watch = new ExpiryWatch((_, {facts}) => told.push(facts.subject), clock);
		watch.add({}, [ours()]);
		return new WeakRef(watch);
	})();
	for (let turn = 0; turn < 100 && reference.deref() !== undefined; turn++) {
		await setImmediate();
		collect();
	}
	expect(reference.deref()).toBeUndefined();
	clock.to(end);
	expect(told).toEqual([]);
	expect(clock.sleeping.size).toBe(0);
});
