import {expect, test} from 'vitest';
import {commandUrl} from '../../../src/cli/check/command-url.ts';

const origin = 'https://api.bank.example/accounts';
const urlOf = (more: string) => commandUrl(new URL(origin + more));

test('a query stays where each of its parameters is known to carry no secret', () => {
	for (const query of [
		'?page=2',
		'?limit=20&offset=40&sort=-date,name',
		'?format=json&pretty=',
		'',
	]) {
		expect(urlOf(query)).toBe(origin + query);
	}
	expect(urlOf(`?format=${'x'.repeat(20)}`)).toBe(`${origin}?format=${'x'.repeat(20)}`);
});

test('a query that may hold a secret is left out as a whole', () => {
	const queries = [
		'?token=MARK',
		'?MARK',
		'?page=2&key=MARK',
		'?page=2&MARK=',
		'?page=MARK%20MARK',
		`?format=${'x'.repeat(21)}`,
		'?id=1',
	];
	for (const query of queries) expect(urlOf(query)).toBe(origin);
});

test('user, password and fragment are never in a command', () => {
	const url = new URL('https://alice:MARK@api.bank.example/accounts?page=2#MARK');
	expect(commandUrl(url)).toBe(`${origin}?page=2`);
});
