/*
 * Sentences about the setting that named the proxy: the `proxy` option, or a variable of the environment.
 */
import type {Cause, Facts} from './facts.ts';

export const cause = (
	id: string,
	text: string | Cause['text'],
	repair: string | Cause['repair'],
	when?: Cause['when'],
): Cause => ({
	id,
	text: typeof text === 'string' ? () => text : text,
	repair: typeof repair === 'string' ? () => repair : repair,
	...(when && {when}),
});

/** The setting in use: `HTTPS_PROXY`. */
export const settingOf = ({proxy}: Facts) => proxy?.variable ?? '`proxy`';

/** Where its user and password are set. */
export function loginSettingOf({proxy}: Facts): string {
	if (proxy?.loginPlace === 'header') return 'the header `Proxy-Authorization`';
	if (proxy?.variable !== undefined) return `the URL of ${proxy.variable}`;
	return proxy?.loginPlace === 'url' ? 'the URL of `proxy`' : '`proxy.auth`';
}

export const checkSetting = (facts: Facts) => `check the host and port in ${settingOf(facts)}`;

/** How requests to this host go without the proxy. */
export const bypass = ({proxy, host}: Facts) =>
	proxy?.variable === undefined ? `leave \`proxy\` out for '${host}'` : `add '${host}' to NO_PROXY`;

export const allowHost = (facts: Facts) =>
	`have '${facts.host}' allowed on the proxy, or ${bypass(facts)}`;
