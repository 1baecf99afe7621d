import { sinkSchema } from '../../../agent/config/schema.ts';

const SINK_TYPES = sinkSchema.def.options.map(({ shape }) => shape.type.def.values[0]);

/** Broken configurations, each with every problem that it has: what `validate` says, without the file's name. */
export const BROKEN: readonly { what: string; yaml: string; problems: readonly string[] }[] = [
  {
    what: 'nothing at all',
    yaml: '',
    problems: ['1:1: inputs: missing; expected a list', '1:1: sinks: missing; expected a list'],
  },
  {
    what: 'a list where the file wants keys',
    yaml: '- inputs\n- sinks\n',
    problems: ['1:1: expected a mapping (keys with values); got a list'],
  },
  {
    what: 'mistyped keys on three levels',
    yaml: `input: []
inputs:
  - {type: file, format: syslog, paths: [/var/log/syslog], prefixs: [calico-packet]}
limit:
  conections_per_second: 100
sinks:
  - name: a
    type: http
    url: https://es
    batch:
      recordsmax: 10
zzz: 1
`,
    problems: [
      '1:1: input: unknown key; did you mean inputs?',
      '3:60: inputs[0].prefixs: unknown key; did you mean prefixes?',
      '5:3: limit.conections_per_second: unknown key; did you mean connections_per_second?',
      '11:7: sinks[0].batch.recordsmax: unknown key; did you mean records_max?',
      '12:1: zzz: unknown key; known here: node, inputs, select, limit, aggregate, enrich, state, sinks, http, reload, log, shutdown_timeout',
    ],
  },
  {
    what: 'kinds that do not exist',
    yaml: `inputs:
  - {type: fil, format: syslog, paths: [/var/log/syslog]}
  - {type: file, format: polcy_action, paths: [/var/log/network/policy_action.log]}
  - {type: file, paths: [/var/log/syslog]}
sinks:
  - {name: a, type: stdot}
  - {name: b, type: carrier_pigeon}
`,
    problems: [
      '2:12: inputs[0].type: expected file; got "fil"; did you mean file?',
      '3:26: inputs[1].format: expected one of syslog, policy_action, flow_log, json, text; got "polcy_action"; did you mean policy_action?',
      '4:5: inputs[2].format: missing; expected one of syslog, policy_action, flow_log, json, text',
      `6:21: sinks[0].type: expected one of ${SINK_TYPES.join(', ')}; got "stdot"; did you mean stdout?`,
      `7:21: sinks[1].type: expected one of ${SINK_TYPES.join(', ')}; got "carrier_pigeon"`,
    ],
  },
  {
    what: 'a key that is none',
    yaml: `inputs:
  - {type: file, format: syslog, paths: [/var/log/syslog]}
sinks:
  - {name: a, type: loki, url: "http://h:3100", labels: {a-b: c}}
`,
    problems: ['4:58: sinks[0].labels.a-b: expected a label name: letters, digits, _; got a-b'],
  },
  {
    what: 'amounts without units, out of range, or not amounts',
    yaml: `inputs:
  - {type: file, format: syslog, paths: [/var/log/syslog], poll_interval: 5, line_bytes_max: 64K}
aggregate:
  window: 5 s
  keys_max: 0
limit: {burst: "500"}
state:
  size_max: 512
sinks:
  - {name: a, type: http, url: "https://es", concurrency: 65, request_timeout: 2h}
`,
    problems: [
      '2:75: inputs[0].poll_interval: expected a duration with a unit: 250ms, 5s, 10m, 1h, 7d; got 5',
      '2:94: inputs[0].line_bytes_max: expected a size with a unit: 64KiB, 512MiB, 10MB; got "64K"',
      '4:11: aggregate.window: expected a duration with a unit: 250ms, 5s, 10m, 1h, 7d; got "5 s"',
      '5:13: aggregate.keys_max: expected a whole number from 1 to 1000000; got 0',
      '6:16: limit.burst: expected a whole number from 1 on; got "500"',
      '8:13: state.size_max: expected a size with a unit: 64KiB, 512MiB, 10MB; got 512',
      '10:59: sinks[0].concurrency: expected a whole number from 1 to 64; got 65',
      '10:80: sinks[0].request_timeout: expected a duration from 100ms to 1h; got "2h"',
    ],
  },
  {
    what: 'a scalar, a list and a mapping in one another’s place',
    yaml: `node: 12
inputs:
  type: file
select:
  dispositions: calico-drop
  allow: [log]
  deny: {log: no}
http: 9660
sinks:
  - stdout
  - {name: a, type: file, path: records.ndjson}
`,
    problems: [
      '1:7: node: expected text; got 12; put it in quotes',
      '3:3: inputs: expected a list; got a mapping; begin each entry with a dash',
      '5:17: select.dispositions: expected a list; got "calico-drop"; write [calico-drop]',
      '6:10: select.allow: expected a mapping (keys with values); got a list',
      '7:15: select.deny.log: expected true or false; got "no"',
      '8:7: http: expected a mapping (keys with values); got 9660',
      '10:5: sinks[0]: expected a mapping (keys with values); got "stdout"',
      '11:33: sinks[1].path: expected an absolute path; got "records.ndjson"',
    ],
  },
  {
    what: 'sinks that would write over each other in a store',
    yaml: `inputs:
  - {type: file, format: syslog, paths: [/var/log/syslog]}
sinks:
  - {name: a, type: s3, bucket: flows, region: r}
  - {name: b, type: s3, bucket: flows, region: r, key_prefix: other/}
  - {name: c, type: s3, bucket: flows, region: r, endpoint: "http://m:9000"}
  - {name: d, type: s3, bucket: flows, region: r, key_prefix: policy-log-agent/, only: {disposition: [deny]}}
`,
    problems: [
      '7:63: sinks[3].key_prefix: s3://flows/policy-log-agent/ is taken by sinks[0]; use another key_prefix',
    ],
  },
  {
    what: 'values that do not go together',
    yaml: `inputs:
  - {type: file, format: syslog, name: kernel, paths: [/var/log/*.log], timezone: Mars/Olympus}
  - {type: file, format: syslog, name: kernel, paths: [/var/log/syslog]}
select:
  allow: {log: false, delegate: true}
  deny: {log: false, delegate: true}
  dispositions: [{disposition: deny}]
state: {size_max: 1MiB}
sinks:
  - {name: a, type: file, path: /var/log/records.log, batch: {bytes_max: 4MiB}}
  - {name: a, type: file, path: /var/log/records.log}
  - {name: c, type: http, url: "https://es", retry: {backoff_min: 1m}, batch: {bytes_max: 1KiB}}
  - {name: d, type: stdout, batch: {bytes_max: 1KiB}}
  - {name: e, type: stdout, batch: {bytes_max: 1KiB}}
  - {name: f, type: file, path: /tmp/f, shape: {rename: {id: key}}}
  - {name: g, type: file, path: /tmp/g, encoding: {codec: ecs}, shape: {drop: [event]}}
  - {name: h, type: file, path: /tmp/h, encoding: {codec: template, template: "{{ src }}"}}
  - {name: i, type: http, url: "http://x", encoding: {codec: cef}, framing: json_array, shape: {drop: [a]}}
`,
    problems: [
      '2:83: inputs[0].timezone: expected an IANA time zone, as Europe/Berlin or UTC; got "Mars/Olympus"',
      '3:40: inputs[1].name: kernel is taken by inputs[0]; use another name',
      '5:33: select.allow.delegate: the allow log action is invalid: delegate cannot be true when log is false',
      '6:32: select.deny.delegate: the deny log action is invalid: delegate cannot be true when log is false',
      '7:18: select.dispositions[0]: a rule needs a prefix or a policy',
      '10:33: sinks[0].path: inputs[0] reads this file; write where no input reads',
      '10:74: sinks[0].batch.bytes_max: a request cannot hold more than state.size_max; make one larger or the other smaller',
      '11:12: sinks[1].name: a is taken by sinks[0]; use another name',
      '11:33: sinks[1].path: /var/log/records.log is taken by sinks[0]; use another path',
      '11:33: sinks[1].path: inputs[0] reads this file; write where no input reads',
      '12:67: sinks[2].retry.backoff_min: longer than backoff_max; the first pause must be the shortest',
      '14:21: sinks[4].type: sinks[3] writes to standard output already; one sink may',
      '15:48: sinks[5].shape: a file sink needs the id where it is; leave id alone',
      '16:72: sinks[6].shape: a file sink needs the id where it is; leave event.id alone',
      '17:79: sinks[7].encoding.template: a file sink needs the id in every line; put {{ id }} into the template',
      '18:77: sinks[8].framing: text cannot stand in a JSON array; use newline_delimited, or a JSON codec',
      '18:96: sinks[8].shape: text has no fields to drop or rename; leave shape out, or use a JSON codec',
    ],
  },
  {
    what: 'what does not go together, next to what is wrong by itself',
    yaml: `inputs:
  - {type: file, format: syslog, paths: syslog}
select: {deny: {log: false, delegate: true}}
sinks:
  - {name: a, type: stdout}
  - {name: A, type: stdout}
  - {name: a, type: file, path: /records}
`,
    problems: [
      '2:41: inputs[0].paths: expected a list; got "syslog"; write [syslog]',
      '3:39: select.deny.delegate: the deny log action is invalid: delegate cannot be true when log is false',
      '6:12: sinks[1].name: expected lower-case letters, digits and dashes, at most 63; got "A"',
      '7:12: sinks[2].name: a is taken by sinks[0]; use another name',
    ],
  },
  {
    what: 'filters that test nothing, or not what they say',
    yaml: `inputs: [{type: file, format: syslog, paths: [/var/log/syslog]}]
select:
  exclude:
    - {}
    - dest.namespace
    - and: [{field: dest.namespace, equal: dev}]
    - {cidr: 10.0.0.0/8}
    - {field: src.ip, cidr: 10}
    - {field: dest.namespace}
    - or: [{not: {field: dst.namespace, equals: a, exists: true}}, {field: src.pod_name, matches: "a(b"}]
  include: [{field: connection.src_ip, cidr: [10.0.0.0/8, 10.0.0.0/33]}]
  dispositions: [{prefix: /a(b/, disposition: deny}]
sinks: [{name: a, type: stdout}]
`,
    problems: [
      '4:7: select.exclude[0]: expected a mapping that has one of and, or, not, field; got none of them',
      '5:7: select.exclude[1]: expected a mapping (keys with values); got "dest.namespace"',
      '6:37: select.exclude[2].and[0].equal: unknown key; did you mean equals?',
      '7:7: select.exclude[3].field: missing; expected text',
      '8:29: select.exclude[4].cidr: expected text, or a list; got 10',
      '9:7: select.exclude[5]: expected exactly one of equals, one_of, matches, cidr, port_range, exists beside the field',
      '10:18: select.exclude[6].or[0].not: expected exactly one of equals, one_of, matches, cidr, port_range, exists beside the field',
      '10:26: select.exclude[6].or[0].not.field: expected a field of the record; got "dst.namespace"',
      '10:99: select.exclude[6].or[1].matches: expected a regular expression in RE2 syntax, not a ( without its ); got "a(b"',
      '11:59: select.include[0].cidr[1]: expected a network, as 10.0.0.0/8 or 2001:db8::/32; got "10.0.0.0/33"',
      '12:27: select.dispositions[0].prefix: expected a regular expression; /a(b/: Unterminated group; got "/a(b/"',
    ],
  },
  {
    what: 'variables and files that are not there',
    yaml: `node: \${NODE_NAM}
inputs: [{type: file, format: syslog, paths: [/var/log/syslog]}]
state: {path: "\${STATE:-/tmp}"}
log: {level: "\${LEVEL"}
sinks:
  - name: a
    type: http
    url: "https://es/\${file:/nonexistent/token}"
    headers:
      X-One: "\${file:token}"
      X-Two: "\${file:/}"
`,
    problems: [
      '1:7: node: the environment variable NODE_NAM is not set',
      '3:15: state.path: ${STATE:-/tmp} is neither a variable nor a file: write ${NAME} or ${file:/path}, or $${ for a plain ${',
      '4:14: log.level: ${ without }: write $${ for a plain ${',
      '8:10: sinks[0].url: cannot read /nonexistent/token for ${file:/nonexistent/token}: there is no such file',
      '10:14: sinks[0].headers.X-One: ${file:token} needs an absolute path: ${file:/run/secrets/name}',
      '11:14: sinks[0].headers.X-Two: cannot read / for ${file:/}: it is not a file',
    ],
  },
  {
    what: 'a key given twice, an alias without an anchor, a tag, a merge of nothing',
    yaml: `inputs: [{type: file, format: syslog, paths: [/var/log/syslog]}]
limit: {burst: 1, burst: 2}
log: {level: !secret info}
http: *nowhere
state: {<<: 5}
sinks: [{name: a, type: stdout}]
limit: {burst: 3}
`,
    problems: [
      '2:19: limit.burst: given twice; the first is on line 2',
      '3:14: Unresolved tag: !secret: tags mean nothing here',
      '4:7: http: there is no anchor &nowhere before this alias',
      '5:9: state: `<<` takes an alias of a mapping, or a list of such',
      '7:1: limit: given twice; the first is on line 2',
    ],
  },
  {
    what: 'a tab',
    yaml: 'inputs:\n\t- {type: file}\n',
    problems: ['2:1: not valid YAML: a tab; indent with spaces'],
  },
  {
    what: 'a bracket that is not closed',
    yaml: 'inputs: [1\nsinks: 2\n',
    problems: [
      '2:1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  },
  {
    what: 'a variable without quotes inside braces',
    yaml: 'state: {path: ${STATE}}\nsinks: []\n',
    problems: [
      '1:16: not valid YAML: Unexpected flow-map-start at node end; inside { } and [ ] a ${…} needs quotes',
    ],
  },
  {
    what: 'two documents',
    yaml: 'inputs: []\n---\nsinks: []\n',
    problems: ['2:1: a second document begins here: one file holds one configuration'],
  },
];
