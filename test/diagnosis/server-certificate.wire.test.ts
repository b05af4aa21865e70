import {runCorpus} from './corpus.ts';
import {serverCertificates} from './server-certificates.ts';

runCorpus(serverCertificates);
