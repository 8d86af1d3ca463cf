# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Sourced by what fetches packages without installing them: an apt of its own under the cache, so that the system's
# sources, lists and architectures stay as they are. Wants cannot() and may set APT_CONFIG.

# apt_lock DIR: one fetch at a time in DIR; whoever waited may find the work done.
apt_lock() {
	mkdir -p "$1"
	exec 9>"$1/lock"
	flock -w 900 9 || cannot "another fetch has held $1/lock for 15 minutes"
}

# The mirrors this system uses that may have SUITE, as apt itself reads its sources, of either format. A suite
# named *-security lives in an archive of its own.
apt_mirrors() {
	local uri release
	# shellcheck disable=SC2016 # apt fills these in
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' \
		'Created-By: Packages' 'Component: main' 2>/dev/null |
		while read -r uri release; do
			case $1/$release in
			*-security/*-security | *-security/*/updates) echo "$uri" ;;
			*-security/* | */*-security | */*/updates) ;;
			*) echo "$uri" ;;
			esac
		done | awk '!seen[$0]++'
}

# apt_folder DIR ARCHITECTURE SUITE URI: sets APT_CONFIG. Signatures and hashes are checked, by Debian's own keyring
# where there is one, else by apt's trusted keys. The system's apt.conf.d still counts, so that a proxy set there is
# used. An old suite's index is past its valid-until date for good, and its age is the point here.
apt_folder() {
	local dir=$1 file keyring=
	for file in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		[[ ! -r $file ]] || { keyring="signed-by=$file" && break; }
	done
	mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/none"
	: >"$dir/status"
	echo "deb [arch=$2 check-valid-until=no $keyring] $4 $3 main" >"$dir/sources.list"
	cat >"$dir/apt.conf" <<-END
		APT::Architecture "$2";
		APT::Architectures { "$2"; };
		Dir::State "$dir";
		Dir::State::Lists "$dir/lists";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir";
		Dir::Cache::Archives "$dir/archives";
		Dir::Etc::SourceList "$dir/sources.list";
		Dir::Etc::SourceParts "$dir/none";
		Dir::Etc::Preferences "$dir/none/preferences";
		Dir::Etc::PreferencesParts "$dir/none";
		APT::Sandbox::User "root";
		APT::Update::Error-Mode "any";
		APT::Update::Post-Invoke "";
		APT::Update::Post-Invoke-Success "";
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		Acquire::Languages "none";
		Acquire::AllowInsecureRepositories "false";
		Acquire::AllowWeakRepositories "false";
		Acquire::Retries "2";
		Acquire::http::Timeout "20";
		Acquire::https::Timeout "20";
	END
	export APT_CONFIG=$dir/apt.conf
}
