package dev.outbox.store.jooq.internal.dialect;

import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Versions of servers, as numbers of which the first counts most. */
public final class ServerVersion {
    private static final Pattern VERSION = Pattern.compile("(?:5\\.5\\.5-)?(\\d+)\\.(\\d+)(?:\\.(\\d+))?");

    private ServerVersion() {}

    /** As MySQL and MariaDB write it. MariaDB before 11 says that it is MySQL 5.5.5, and then what it is. */
    static int[] parse(String text) {
        Matcher version = VERSION.matcher(text);
        return version.lookingAt()
                ? IntStream.rangeClosed(1, 3)
                        .mapToObj(version::group)
                        .filter(Objects::nonNull)
                        .mapToInt(Integer::parseInt)
                        .toArray()
                : new int[0];
    }

    /** As JDBC has it, in numbers. */
    static int[] asJdbcHasIt(DatabaseMetaData server) throws SQLException {
        return new int[] {server.getDatabaseMajorVersion(), server.getDatabaseMinorVersion()};
    }

    static String shown(int[] version) {
        return Arrays.stream(version).mapToObj(Integer::toString).collect(Collectors.joining("."));
    }
}
