// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDeviceRegistry} from "../../contracts/IDeviceRegistry.sol";
import {IShareChannels} from "../../contracts/IShareChannels.sol";
import {IShareRewards} from "../../contracts/IShareRewards.sol";
import {SspToken} from "../../contracts/tokens/SspToken.sol";
import {RewardsTest} from "./RewardsTest.sol";

/// @title Guests paying over three routers, claims by anyone at any time, weeks going by
contract RewardsHandler is RewardsTest {
    uint256 public immutable startEpoch = START / EPOCH;
    uint256 private salt;

    constructor(IShareChannels channels_, IDeviceRegistry registry_, IShareRewards rewards_, SspToken token_) {
        (channels, registry, rewards, token) = (channels_, registry_, rewards_, token_);
    }

    function setUp() public override {}

    function payOver(uint256 which, uint64 units) external {
        pay(deviceAt(which), uint64(bound(units, 1, 400_000_000_000)), ++salt);
    }

    function claim(uint256 which, uint256 a, uint256 b) external {
        uint256[] memory list = new uint256[](2);
        uint256 weeks_ = block.timestamp / EPOCH - startEpoch;
        (list[0], list[1]) = (startEpoch + bound(a, 0, weeks_), startEpoch + bound(b, 0, weeks_));
        try rewards.claimUsage(deviceAt(which), list) {} catch {}
    }

    function nextWeek() external {
        nextEpoch();
    }

    function withdrawAndBurn() external {
        try channels.withdraw(payee) {
            channels.burnFees();
        } catch {}
    }

    function deviceAt(uint256 which) public view returns (address) {
        address[3] memory all = [device, signer, stranger];
        return all[which % 3];
    }
}
