import {createClient} from 'axios-mtls';
import soap from 'soap';

/** A SOAP client whose methods are those of the WSDL, such as `BalanceAsync({account: '1'})`. */
export function connect(wsdlUrl, mtls) {
	const request = createClient({mtls, logger: false});
	// The cache of soap is one for the process: without this, whoever asks next gets the WSDL of another.
	return soap.createClientAsync(wsdlUrl, {request, disableCache: true});
}
