# Read by sysupgrade. The ledger is copied while nothing writes to it: the agent closes it first (one file, no WAL), and
# is started again when sysupgrade ends without a reboot, as after a backup. Guests go on surfing meanwhile.
shareagent_hold_ledger() {
	local upgrade=$$ database waited=0
	# LuCI asks for the list alone: nothing is copied.
	[ "${CONF_BACKUP_LIST:-0}" = 1 ] && return 0
	[ -x /etc/init.d/shareagent ] && /etc/init.d/shareagent running || return 0
	database=$(uci -q get shareagent.@storage[0].database) || database=/etc/shareagent/ledger.db
	/etc/init.d/shareagent stop
	while [ -e "$database-wal" ] && [ "$waited" -lt 20 ]; do
		sleep 1
		waited=$((waited + 1))
	done
	(
		while kill -0 "$upgrade" 2>/dev/null; do sleep 1; done
		/etc/init.d/shareagent start
	) >/dev/null 2>&1 &
}

# First, so that the list of files is made when the ledger is at rest.
sysupgrade_init_conffiles="shareagent_hold_ledger${sysupgrade_init_conffiles:+ $sysupgrade_init_conffiles}"
