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

// axios's way from options to a URL. Not the static `axios`: it would mix its global defaults in.
const uris = new Axios({});

/** The request that the app made; `undefined` when it is none over http or https. */
export function firstHop(config: InternalAxiosRequestConfig): Hop | undefined {
	const {params, paramsSerializer} = config;
	const place = placeOf(config);
	if (place === undefined) return undefined;

	const path = params ? withParams(place.path, params, paramsSerializer) : place.path;
	return {
		index: 0,
		url: params ? new URL(place.url.origin + path) : place.url,
		path,
		method: (config.method ?? 'get').toUpperCase(),
		// The very object of the config, as in axios: what the exchange adds is seen on `response.config`.
		headers: config.headers,
		auth: config.auth ? wholeCredentials(config.auth) : place.auth,
		body: config.data === undefined ? undefined : makeBody(config.data, config.maxRedirects !== 0),
		// The app asked for this origin itself.
		presentCertificate: true,
		leftOrigin: false,
	};
}

/** Empty where the params cannot be written: axios's exchange fails on them in its own words. */
function withParams(
	url: string,
	params: unknown,
	paramsSerializer: AxiosRequestConfig['paramsSerializer'],
): string {
	try {
		return uris.getUri({url, params, paramsSerializer} as AxiosRequestConfig);
	} catch {
		return '';
	}
}

/** Where a request goes, but for its `params`. Shared by all that go there: not to be changed. */
type Place = Pick<Hop, 'url' | 'path' | 'auth'>;

// An app asks for the same few URLs again and again: to remember them is worth 2 % of a small request.
const known = new BoundedMap<string, Place>({maxEntries: 1_000, maxBytes: 4 * 1024 * 1024});

/** One that is longer is hardly asked for twice. */
const longestKnown = 4_096;

/** What names a place, if it may be remembered. */
function keyOf({
	url,
	baseURL,
	allowAbsoluteUrls,
	socketPath,
}: InternalAxiosRequestConfig): string | undefined {
	if (url !== undefined && typeof url !== 'string') return undefined;
	if (baseURL !== undefined && typeof baseURL !== 'string') return undefined;
	if ((url?.length ?? 0) + (baseURL?.length ?? 0) > longestKnown) return undefined;
	const how =
		(allowAbsoluteUrls === false ? 1 : 0) + (socketPath ? 2 : 0) + (url === undefined ? 4 : 0);
	// Security: with its length in front no baseURL can end in what another request asks for.
	return `${how} ${baseURL?.length ?? ''} ${baseURL ?? ''}${url ?? ''}`;
}

function placeOf(config: InternalAxiosRequestConfig): Place | undefined {
	const {url, baseURL, allowAbsoluteUrls, socketPath} = config;
	const key = keyOf(config);
	const seen = key === undefined ? undefined : known.get(key);
	if (seen !== undefined) return seen;

	const full = uris.getUri({url, baseURL, allowAbsoluteUrls} as AxiosRequestConfig);
	const given = URL.parse(full, socketPath ? 'http://localhost' : undefined);
	if (given?.protocol !== 'https:' && given?.protocol !== 'http:') return undefined;
	const place = {
		url: withoutCredentials(given),
		path: given.pathname + given.search,
		auth: credentialsOf(given),
	};
	// The URL holds it once more, and so do its parts.
	if (key !== undefined) known.set(key, place, 1_000 + 8 * key.length);
	return place;
}

// As axios does: what is not given is empty.
function wholeCredentials(auth: object): AxiosBasicCredentials {
	const [username, password] = ['username', 'password'].map((name) => memberOf(auth, name) || '');
	return {username: String(username), password: String(password)};
}

function credentialsOf({username, password}: URL): AxiosBasicCredentials | undefined {
	if (!username && !password) return undefined;
	return {username: decodePercent(username), password: decodePercent(password)};
}
