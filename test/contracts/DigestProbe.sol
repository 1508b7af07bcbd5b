// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChannelDigests} from "../../contracts/ChannelDigests.sol";
import {IShareChannels} from "../../contracts/IShareChannels.sol";

/// @title ChannelDigests with its insides turned out
contract DigestProbe is ChannelDigests {
    function voucherDigest(bytes32 id, uint64 amount, uint64 ackBytes) external view returns (bytes32) {
        return _voucherDigest(id, amount, ackBytes);
    }

    function tickVoucherDigest(bytes32 id, uint64 amount, bytes32 anchor, uint32 tickValue, uint32 ticks)
        external
        view
        returns (bytes32)
    {
        return _tickVoucherDigest(id, amount, anchor, tickValue, ticks);
    }

    function claimBatchDigest(bytes32 root) external view returns (bytes32) {
        return _claimBatchDigest(root);
    }

    function openDigest(bytes32 id, uint64 amount, uint256 deadline) external view returns (bytes32) {
        return _openDigest(id, amount, deadline);
    }

    function closeDigest(bytes32 id, uint64 amount) external view returns (bytes32) {
        return _closeDigest(id, amount);
    }

    function exitDigest(bytes32 id, uint256 deadline) external view returns (bytes32) {
        return _exitDigest(id, deadline);
    }

    function depositNonce(bytes32 id, uint256 n) external pure returns (bytes32) {
        return _depositNonce(id, n);
    }

    function recover(bytes32 digest, IShareChannels.Signature calldata signature) external pure returns (address) {
        return _signer(digest, signature);
    }
}
