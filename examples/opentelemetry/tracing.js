import {NodeSDK} from '@opentelemetry/sdk-node';

new NodeSDK({serviceName: 'my-app'}).start();
