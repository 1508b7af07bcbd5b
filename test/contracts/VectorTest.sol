// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "../../contracts/IShareChannels.sol";
import {SspToken} from "../../contracts/tokens/SspToken.sol";
import {ChannelTest} from "./ChannelTest.sol";
import {DigestProbe} from "./DigestProbe.sol";

/// @title The very file that TypeScript is held to: test/vectors/protocol-digests.json
/// @dev Made for anvil's chain and for the first two contracts of its first account.
abstract contract VectorTest is ChannelTest {
    address internal constant DEPLOYER = 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266;

    string internal vectors;

    function setUp() public virtual override {
        vm.warp(START);
        vm.chainId(31_337);
        vectors = vm.readFile("test/vectors/protocol-digests.json");
    }

    function check(DigestProbe probe, string memory path, bytes32 digest) internal view {
        vm.assertEq(digest, vm.parseJsonBytes32(vectors, key(path, ".digest")));
        string memory name = vm.parseJsonString(vectors, key(path, ".signedBy"));
        address expected = vm.parseJsonAddress(vectors, string.concat(".keys.", name, ".address"));
        vm.assertEq(probe.recover(digest, signatureAt(path)), expected);
    }

    /// @dev The token has to be there first, though its address is that of the second contract.
    function deployChannelsAsInVectors() internal {
        address holder = vm.parseJsonAddress(vectors, ".keys.payer.address");
        vm.setNonceUnsafe(DEPLOYER, 1);
        vm.prank(DEPLOYER);
        token = SspToken(deployArtifact("SspToken", abi.encode(holder, SUPPLY)));
        vm.setNonceUnsafe(DEPLOYER, 0);
        vm.prank(DEPLOYER);
        channels = deployChannels(address(token));
        vm.assertEq(address(channels), vm.parseJsonAddress(vectors, ".contract"));
    }

    function deployProbe() internal returns (DigestProbe probe) {
        vm.prank(DEPLOYER);
        probe = new DigestProbe();
        vm.assertEq(address(probe), vm.parseJsonAddress(vectors, ".contract"));
    }

    function configAt(string memory path) internal view returns (IShareChannels.ChannelConfig memory) {
        return IShareChannels.ChannelConfig({
            payer: vm.parseJsonAddress(vectors, key(path, ".payer")),
            signer: vm.parseJsonAddress(vectors, key(path, ".signer")),
            payee: vm.parseJsonAddress(vectors, key(path, ".payee")),
            device: vm.parseJsonAddress(vectors, key(path, ".device")),
            expiry: uint40(vm.parseJsonUint(vectors, key(path, ".expiry"))),
            exitDelay: uint40(vm.parseJsonUint(vectors, key(path, ".exitDelay"))),
            salt: vm.parseJsonBytes32(vectors, key(path, ".salt"))
        });
    }

    function signatureAt(string memory path) internal view returns (IShareChannels.Signature memory) {
        bytes memory compact = vm.parseJsonBytes(vectors, key(path, ".signature"));
        return abi.decode(compact, (IShareChannels.Signature));
    }

    function has(string memory list, uint256 index) internal view returns (bool) {
        return vm.keyExistsJson(vectors, item(list, index));
    }

    function item(string memory list, uint256 index) internal pure returns (string memory) {
        return string.concat(list, "[", vm.toString(index), "]");
    }

    function key(string memory path, string memory field) internal pure returns (string memory) {
        return string.concat(path, field);
    }
}
