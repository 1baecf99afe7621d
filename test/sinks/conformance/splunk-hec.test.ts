import { conforms } from '../conformance.ts';
import { splunkHec, splunkHecAcknowledged } from '../destinations/splunk-hec.ts';

conforms(splunkHec);
conforms(splunkHecAcknowledged);
