package dev.outbox.examples.quickstart;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A broker that the example starts, as the tests of outbox do. It ends with its standard input, so also when the
 * example is killed.
 */
final class BrokerProcess implements AutoCloseable {
    /** A class of the module test-servers, which is on the class path with the profile brokers, and in tests. */
    private static final String MAIN = "dev.outbox.servers.BrokerMain";

    private static final String ADDRESS = "address=";
    private static final long STOP_SECONDS = 30;

    private final Process process;
    private final String address;

    private BrokerProcess(Process process, String address) {
        this.process = process;
        this.address = address;
    }

    static BrokerProcess start(BrokerKind kind) throws IOException {
        if (BrokerProcess.class.getResource("/" + MAIN.replace('.', '/') + ".class") == null) {
            throw Failure.usage("To start " + kind.label() + " by itself, the example needs mvn -Pquickstart,brokers."
                    + " Or give an address: --broker " + kind.withAddress() + ".");
        }
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        MAIN,
                        kind.label())
                .redirectError(Redirect.INHERIT)
                .start();
        BufferedReader said = process.inputReader(StandardCharsets.UTF_8);
        for (String line = said.readLine(); line != null; line = said.readLine()) {
            if (line.startsWith(ADDRESS)) {
                return new BrokerProcess(process, line.substring(ADDRESS.length()));
            }
        }
        throw Failure.broken("No " + kind.label() + " could be started; see what was said above.");
    }

    String address() {
        return address;
    }

    @Override
    public void close() {
        try {
            process.getOutputStream().close();
            process.waitFor(STOP_SECONDS, TimeUnit.SECONDS);
        } catch (IOException e) {
            // it has ended
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            process.destroyForcibly();
        }
    }
}
