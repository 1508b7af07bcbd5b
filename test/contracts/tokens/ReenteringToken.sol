// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HostileToken} from "./HostileToken.sol";

/// @title Calls back before it moves anything, and keeps what came of it
contract ReenteringToken is HostileToken {
    address private target;
    bytes private callback;
    bool public hasReentered;
    bool public hasSucceeded;

    function arm(address target_, bytes calldata callback_) external {
        target = target_;
        callback = callback_;
        hasReentered = false;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        reenter();
        move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        reenter();
        move(from, to, value);
        return true;
    }

    function reenter() private {
        if (target == address(0) || hasReentered) return;
        hasReentered = true;
        (hasSucceeded,) = target.call(callback);
    }
}
