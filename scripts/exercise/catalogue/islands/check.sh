# shellcheck shell=bash
fetch till http://warehouse/hostname >/dev/null || still "the till gets no answer from the warehouse"
