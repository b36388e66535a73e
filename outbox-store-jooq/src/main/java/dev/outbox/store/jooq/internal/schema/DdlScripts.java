package dev.outbox.store.jooq.internal.schema;

import dev.outbox.MisuseException;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The statements that make the tables of the outbox.
 *
 * <p>Every script can be run again after it was cut off anywhere, because some databases commit after every statement:
 * each statement leaves alone what is done already. Old versions of the library, whose stores are open while the tables
 * are upgraded, go on, and open again: a script only adds what they need not know. Scripts have a semicolon after each
 * statement and nowhere else, so that every tool for migrations can take them apart.
 */
public final class DdlScripts {
    /**
     * The version of the tables that this code works with. A change that raises it changes the DDL, adds the upgrade
     * from the version before and what it is recognised by to {@link Schema}, and keeps what already runs, old writers
     * and relays, working.
     */
    public static final int VERSION = 2;

    /** Where the scripts are in the artifact. */
    private static final String FOLDER = "/dev/outbox/store/jooq/";

    private DdlScripts() {}

    public static String ddl(Dialect dialect) {
        return dialect.sql(resource(dialect.ddlResource()));
    }

    /**
     * What brings the tables from a version to that of the dialect: one script for each version, next to the
     * DDL as {@code postgres-1-to-2.sql}; empty if there is nothing to do.
     */
    public static String upgrade(Dialect dialect, int from) {
        int to = VERSION;
        if (from < 1 || from > to) {
            throw new MisuseException("There is no upgrade from version " + from + ": the tables of the outbox on "
                    + dialect.product() + " have had the versions 1 to " + to + ".");
        }
        return dialect.sql(IntStream.range(from, to)
                .mapToObj(version -> resource(
                        dialect.ddlResource().replace(".sql", "-" + version + "-to-" + (version + 1) + ".sql")))
                .collect(Collectors.joining("\n")));
    }

    /** All statements there are, with default names: those of upgrades, and those of fresh tables. */
    public static String all(Dialect dialect) {
        String fresh = dialect.ddlResource();
        return IntStream.range(1, VERSION)
                        .mapToObj(from -> resource(fresh.replace(".sql", "-" + from + "-to-" + (from + 1) + ".sql")))
                        .collect(Collectors.joining("\n"))
                + "\n" + resource(fresh);
    }

    public static String resource(String name) {
        try (InputStream resource = DdlScripts.class.getResourceAsStream(FOLDER + name)) {
            if (resource == null) {
                throw new IllegalStateException("The artifact is incomplete: no " + name);
            }
            return new String(resource.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("reading " + name + " failed", e);
        }
    }

    /** Splits a script where a line ends in a semicolon. */
    public static String[] statements(String script) {
        return Arrays.stream(script.split(";\\R|;$"))
                .filter(part -> !part.isBlank())
                .toArray(String[]::new);
    }
}
