package dev.outbox.kafka;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.common.config.types.Password;

/** The secrets in the settings of a client, which must not get into texts. */
final class Secrets {
    private static final String HIDDEN = "[hidden]";
    private static final Pattern SECRET_NAME =
            Pattern.compile(".*(password|secret|jaas|credential|token|keystore\\.key|basic\\.auth).*");

    /** A setting within the settings of JAAS, such as {@code password="…"}. */
    private static final Pattern OPTION =
            Pattern.compile("([\\w.-]+)\\s*=\\s*(?:\"([^\"]*)\"|'([^']*)'|([^\\s\"';]+))");

    private final List<String> secrets;

    private Secrets(List<String> secrets) {
        this.secrets = secrets;
    }

    static Secrets in(Map<String, ?> settings) {
        // The longest first, because one may be a part of another.
        TreeSet<String> secrets =
                new TreeSet<>(Comparator.comparing(String::length).reversed().thenComparing(Comparator.naturalOrder()));
        settings.forEach((name, value) -> {
            if (value != null && isSecret(name)) {
                secretsOf(value).forEach(secrets::add);
            }
        });
        secrets.remove("");
        return new Secrets(List.copyOf(secrets));
    }

    private static boolean isSecret(String name) {
        return SECRET_NAME.matcher(name.toLowerCase(Locale.ROOT)).matches();
    }

    private static Stream<String> secretsOf(Object value) {
        String text = value instanceof Password password ? password.value() : value.toString();
        return Stream.concat(
                Stream.of(text),
                OPTION.matcher(text)
                        .results()
                        .filter(option -> isSecret(option.group(1)))
                        .map(Secrets::valueOf));
    }

    private static String valueOf(MatchResult option) {
        for (int group = 2; group <= 4; group++) {
            String value = option.group(group);
            if (value != null) {
                return value;
            }
        }
        return "";
    }

    /** A text without the secrets. */
    String hide(String text) {
        String hidden = text;
        for (String secret : secrets) {
            hidden = hidden.replace(secret, HIDDEN);
        }
        return hidden;
    }

    /** Whether an exception, or one of its causes, shows a secret. */
    boolean areIn(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            String text = String.valueOf(cause.getMessage());
            if (secrets.stream().anyMatch(text::contains)) {
                return true;
            }
        }
        return false;
    }
}
