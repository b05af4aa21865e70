/*
 * Allowed and blocked domains beside Python's own DefaultCookiePolicy: the same cookies are kept.
 */
import {execFileSync} from 'node:child_process';
import {CookieJar} from 'tough-cookie';
import {expect, test} from 'vitest';
import {CookiePolicy} from '../../src/cookies/policy.ts';
import {storeCookies} from '../../src/cookies/set-cookie.ts';
import type {CookieOptions} from '../../src/options.ts';
import {needs} from '../support/servers/programs.ts';

const hosts = ['bank.example', 'www.bank.example', 'a.b.bank.example', 'ads.example', '127.0.0.1'];
const lines = ['a=1', 'b=2; Domain=bank.example', 'c=3; Domain=.www.bank.example'];
const domains = [
	'bank.example',
	'.bank.example',
	'www.bank.example',
	'.WWW.bank.example',
	'.b.bank.example',
	'.example',
	'ads.example',
	'127.0.0.1',
];
const lists: readonly CookieOptions[] = [
	{},
	{allowedDomains: []},
	{blockedDomains: []},
	...domains.flatMap((one) => [
		{allowedDomains: [one]},
		{blockedDomains: [one]},
		...domains.map((other) => ({allowedDomains: ['.bank.example', one], blockedDomains: [other]})),
	]),
];
const questions = hosts.flatMap((host) => lists.map((cookies) => ({host, cookies})));

const program = `
import json, sys
from email.message import Message
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.request import Request

class Response:
    def __init__(self, lines):
        self.head = Message()
        for line in lines:
            self.head['Set-Cookie'] = line
    def info(self):
        return self.head

asked = json.load(sys.stdin)
answers = []
for question in asked['questions']:
    lists = question['cookies']
    jar = CookieJar(DefaultCookiePolicy(
        allowed_domains=lists.get('allowedDomains'), blocked_domains=lists.get('blockedDomains')))
    jar.extract_cookies(Response(asked['lines']), Request('https://%s/' % question['host']))
    answers.append(sorted(cookie.name for cookie in jar))
print(json.dumps(answers))
`;

async function kept(host: string, cookies: CookieOptions): Promise<string[]> {
	const jar = new CookieJar();
	const url = new URL(`https://${host}/`);
	await storeCookies(jar, url, lines, new CookiePolicy(cookies), () => {});
	return (await jar.getCookies(url.href)).map(({key}) => key).sort();
}

test(`Python keeps the same cookies for ${questions.length} hosts and lists`, async (ctx) => {
	const python = needs(ctx, 'python3');
	const input = JSON.stringify({questions, lines});
	const theirs: unknown = JSON.parse(
		execFileSync(python, ['-c', program], {input, encoding: 'utf8', env: {}}),
	);
	const ours = await Promise.all(questions.map(({host, cookies}) => kept(host, cookies)));
	expect(ours).toEqual(theirs);
	expect(new Set(ours.map((names) => names.join())).size).toBeGreaterThan(5);
});
