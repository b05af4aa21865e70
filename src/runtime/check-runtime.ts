/*
 * The first import of each entry. An older Node also needs that no module of ours imports a name that it
 * does not have: modules are linked before the first of them runs.
 */
import {unsupportedRuntime} from './unsupported-runtime.ts';

const problem = unsupportedRuntime(process.versions);
if (problem !== undefined) {
	throw Object.assign(new Error(problem), {code: 'ERR_MTLS_UNSUPPORTED_RUNTIME'});
}
