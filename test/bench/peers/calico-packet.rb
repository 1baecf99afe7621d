version=2
# RFC 3339 and traditional stamps, with and without the kernel's [uptime].
rule=:%time:word% %host:word% kernel: calico-packet: %.:v2-iptables%
rule=:%time:word% %host:word% kernel: [%uptime:char-to:]%] calico-packet: %.:v2-iptables%
rule=:%month:word%%-:whitespace%%day:word% %time:word% %host:word% kernel: [%uptime:char-to:]%] calico-packet: %.:v2-iptables%
rule=:%time:word% %host:word% kernel: [%uptime:char-to:]%] calico-allow: %.:v2-iptables%
