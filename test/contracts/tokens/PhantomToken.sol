// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HostileToken} from "./HostileToken.sol";

/// @title Accepts any call it does not know and does nothing: to it every authorisation is good
contract PhantomToken is HostileToken {
    fallback() external {}
}
