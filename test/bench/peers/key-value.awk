# Kernel LOG lines to untyped JSON, as a person with awk does it: every KEY=VALUE becomes a string, every word
# without a value `true`. The measure that other figures are ratios to.
/calico-packet: / {
	time = $1
	host = 2
	if (length(time) == 3) {
		time = $1 " " $2 " " $3
		host = 4
	}
	printf "{\"time\":\"%s\",\"host\":\"%s\",\"prefix\":\"calico-packet\"", time, $host
	for (i = host + 2; $i != "calico-packet:"; i++) continue
	for (i++; i <= NF; i++) {
		at = index($i, "=")
		if (at) printf ",\"%s\":\"%s\"", substr($i, 1, at - 1), substr($i, at + 1)
		else printf ",\"%s\":true", $i
	}
	print "}"
}
