import {CookieJar, createClient} from '../../dist/index.js';
import {median, medianRatio} from '../statistics.js';
import {measureRate} from './rate.js';

const domains = 100;
const cookiesPerDomain = 100;
const sliceSeconds = 0.05;

/**
 * What share of a request's time goes into the cookies: the same request with the jar, and with the
 * very header that the jar makes given by hand. The two take turns in short slices, so that a change
 * of the machine meets both alike.
 */
export async function run({target, sent, inFlight, warmup, seconds}) {
	const {origin, ca, cert, key} = target;
	const jar = await fillJar(origin, sent);
	const cookie = await jar.getCookieString(origin);
	const client = createClient({mtls: {cert, key, ca}, jar, logger: false});
	const byHand = {jar: false, headers: {cookie}};

	const withJar = () => client.get(`${origin}/account`);
	const without = () => client.get(`${origin}/account`, byHand);
	await alternate(withJar, without, inFlight, warmup);
	const times = await alternate(withJar, without, inFlight, seconds);
	// The last word is the jar's, for whoever asks the server what it got.
	await withJar();
	await client.mtls.close();
	return {
		share: 1 - medianRatio(times.without, times.withJar),
		milliseconds: median(times.withJar),
		cookie,
	};
}

/** @returns by slice, the mean time of one request of each kind, in milliseconds */
async function alternate(withJar, without, inFlight, seconds) {
	const times = {withJar: [], without: []};
	const slices = Math.max(1, Math.round(seconds / sliceSeconds / 2));
	for (let slice = 0; slice < slices; slice += 1) {
		times.withJar.push(1_000 / (await measureRate(withJar, inFlight, sliceSeconds)).perSecond);
		times.without.push(1_000 / (await measureRate(without, inFlight, sliceSeconds)).perSecond);
	}
	return times;
}

/** Our server's domain is one of the hundred; `sent` of its cookies go with each request. */
async function fillJar(origin, sent) {
	const jar = new CookieJar();
	for (let domain = 0; domain < domains; domain += 1) {
		const url = domain === 0 ? origin : `https://host-${domain}.example`;
		for (let index = 0; index < cookiesPerDomain; index += 1) {
			const path = index < sent ? '/' : `/area-${index % 10}`;
			await jar.setCookie(`name-${index}=value-${domain}-${index}; Path=${path}; Secure`, url);
		}
	}
	return jar;
}
