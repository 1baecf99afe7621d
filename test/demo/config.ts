import { join } from 'node:path';

/** The demonstration's configuration: both formats, records on standard output. */
export function demoConfig(folder: string, port: number): string {
  return `
node: demo-node
inputs:
  - type: file
    format: syslog
    paths: [${join(folder, 'syslog')}]
    prefixes: [calico-packet, calico-drop]
    start: beginning
  - type: file
    format: policy_action
    paths: ['${join(folder, 'policy_action.log')}']
    start: beginning
select:
  dispositions:
    - {prefix: calico-drop, disposition: deny}
state: {path: ${join(folder, 'state')}}
sinks:
  - {name: screen, type: stdout}
http: {listen: '127.0.0.1:${port}'}
log: {level: info}
`;
}
