# shellcheck shell=bash disable=SC2154 # the libraries of steps are read as one
# The API endpoint's address, which keepalived moves between the control planes.

# take_address UNIT ADDRESS: this machine gets the address, wherever it is: before the one that has it goes. keepalived leaves it where it
# is otherwise (`nopreempt`). Where this machine's API server doesn't answer it stays there too, and moves when the other one is gone.
take_address() {
    local preference=/run/$1/preference.conf kept
    if has_address "$2" || [ ! -e "$preference" ]; then return; fi
    kept=$(<"$preference")
    echo 'priority 200' >"$preference"
    systemctl reload "$1"
    within 10 has_address "$2" || true
    printf '%s\n' "$kept" >"$preference"
    systemctl reload "$1"
}

has_address() { [ -n "$(ip -o -4 address show to "$1/32")" ]; }
