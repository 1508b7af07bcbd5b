// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HostileToken} from "./HostileToken.sol";

/// @title Moves and returns nothing, as many tokens of 2017 do: not hostile, only old
contract SilentToken is HostileToken {
    function transfer(address to, uint256 value) external {
        move(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint256 value) external {
        move(from, to, value);
    }
}
