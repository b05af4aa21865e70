import {
	Axios,
	type AxiosBasicCredentials,
	type AxiosRequestConfig,
	type InternalAxiosRequestConfig,
} from 'axios';
import {type Hop, withoutCredentials} from '../exchange/hop.ts';
import {makeBody} from '../exchange/request-body.ts';
import {BoundedMap} from '../util/bounded-map.ts';
import {memberOf} from '../util/check-options.ts';
import {decodePercent} from '../util/url.ts';

// How axios makes a URL of options. Not the static `axios`, which would add its global defaults.
const urls = new Axios({});

/** The request that the app made; `undefined` when it is not one over http or https. */
export function firstHop(config: InternalAxiosRequestConfig): Hop | undefined {
	const {params, paramsSerializer} = config;
	const target = targetOf(config);
	if (target === undefined) return undefined;

	const path = params ? withParams(target.path, params, paramsSerializer) : target.path;
	return {
		index: 0,
		url: params ? new URL(target.url.origin + path) : target.url,
		path,
		method: (config.method ?? 'get').toUpperCase(),
		// The same object, as in axios: headers that the exchange adds are seen on `response.config`.
		headers: config.headers,
		auth: config.auth ? readCredentials(config.auth) : target.auth,
		body: config.data === undefined ? undefined : makeBody(config.data, config.maxRedirects !== 0),
		// The app asked for this origin itself.
		presentCertificate: true,
		leftOrigin: false,
	};
}

/** Empty where the params cannot be serialised: axios's own adapter fails on them with its own error. */
function withParams(
	url: string,
	params: unknown,
	paramsSerializer: AxiosRequestConfig['paramsSerializer'],
): string {
	try {
		return urls.getUri({url, params, paramsSerializer} as AxiosRequestConfig);
	} catch {
		return '';
	}
}

/** The target of a request without its `params`. All requests of a URL share it: not to be changed. */
type Target = Pick<Hop, 'url' | 'path' | 'auth'>;

// An app sends most requests to the same few URLs: to remember them is worth 2 % of a small request.
const remembered = new BoundedMap<string, Target>({maxEntries: 1_000, maxBytes: 4 * 1024 * 1024});

/** A longer URL is unlikely to come twice. */
const maxRememberedLength = 4_096;

/** The key of a target; `undefined` where it is not remembered. */
function keyOf({
	url,
	baseURL,
	allowAbsoluteUrls,
	socketPath,
}: InternalAxiosRequestConfig): string | undefined {
	if (url !== undefined && typeof url !== 'string') return undefined;
	if (baseURL !== undefined && typeof baseURL !== 'string') return undefined;
	if ((url?.length ?? 0) + (baseURL?.length ?? 0) > maxRememberedLength) return undefined;
	const how =
		(allowAbsoluteUrls === false ? 1 : 0) + (socketPath ? 2 : 0) + (url === undefined ? 4 : 0);
	// Security: with the length of baseURL in front, no two pairs of baseURL and url share a key.
	return `${how} ${baseURL?.length ?? ''} ${baseURL ?? ''}${url ?? ''}`;
}

function targetOf(config: InternalAxiosRequestConfig): Target | undefined {
	const {url, baseURL, allowAbsoluteUrls, socketPath} = config;
	const key = keyOf(config);
	const known = key === undefined ? undefined : remembered.get(key);
	if (known !== undefined) return known;

	const full = urls.getUri({url, baseURL, allowAbsoluteUrls} as AxiosRequestConfig);
	const given = URL.parse(full, socketPath ? 'http://localhost' : undefined);
	if (given?.protocol !== 'https:' && given?.protocol !== 'http:') return undefined;
	const target = {
		url: withoutCredentials(given),
		path: given.pathname + given.search,
		auth: credentialsOf(given),
	};
	// A URL object holds its text, and that of its parts once more.
	if (key !== undefined) remembered.set(key, target, 1_000 + 8 * key.length);
	return target;
}

// As in axios, what is not given is empty.
function readCredentials(auth: object): AxiosBasicCredentials {
	const [username, password] = ['username', 'password'].map((name) => memberOf(auth, name) || '');
	return {username: String(username), password: String(password)};
}

function credentialsOf({username, password}: URL): AxiosBasicCredentials | undefined {
	if (!username && !password) return undefined;
	return {username: decodePercent(username), password: decodePercent(password)};
}
