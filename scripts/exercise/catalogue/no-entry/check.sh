# shellcheck shell=bash
said=$(fetch_often till http://shop/hostname 20) || still "the shop doesn't answer the till: ${said:-no call}"
