package dev.outbox.tck.internal.report;

import dev.outbox.Capability;
import dev.outbox.tck.internal.spec.Level;
import dev.outbox.tck.internal.spec.SpecRule;
import dev.outbox.tck.internal.spec.TckVersion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The report for people: one page that needs nothing else. */
final class HtmlReport {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm 'UTC'", Locale.ROOT).withZone(ZoneOffset.UTC);

    private final Report report;
    private final Verdict verdict;
    private final StringBuilder html = new StringBuilder(64_000);

    private HtmlReport(Report report) {
        this.report = report;
        this.verdict = report.verdict();
    }

    static String of(Report report) {
        return new HtmlReport(report).page();
    }

    private String page() {
        String name = simple(report.subject().store());
        html.append("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
                .append(text(name + ": " + verdict.sentence()))
                .append("</title>\n<style>\n")
                .append(css())
                .append("</style>\n<main>\n");
        html.append("<p class=\"small\">Outbox store conformance</p>\n<h1>")
                .append(text(name))
                .append("</h1>\n");
        if (report.subject().backend() != null) {
            html.append("<p>on ").append(text(report.subject().backend())).append("</p>\n");
        }
        html.append("<p class=\"verdict ")
                .append(verdict.conformant() ? "pass" : "fail")
                .append("\">")
                .append(text(verdict.sentence()))
                .append("</p>\n<p>")
                .append(text(explanation()))
                .append("</p>\n");
        ladder();
        facts();
        witnesses();
        rules();
        html.append(
                        "<footer class=\"small\">Conformant at a level means that every binding rule was run, and kept, at that")
                .append(
                        " level and at all below it. A run that found nothing has not proved that there is nothing.</footer>\n")
                .append("</main>\n</html>\n");
        return html.toString();
    }

    /** What stands between the store and the next level, in a sentence. */
    private String explanation() {
        Level next = verdict.next();
        if (next == null) {
            return "Every binding rule was run and kept at every level.";
        }
        List<String> broken = report.ruleReports().stream()
                .filter(r -> r.rule().binding() && r.levels().get(next) == Status.FAIL)
                .map(r -> r.rule().id())
                .toList();
        if (!broken.isEmpty()) {
            return "Level " + next.number() + " is not reached, because of " + String.join(", ", broken) + ".";
        }
        List<String> untold = report.ruleReports().stream()
                .filter(r -> r.rule().binding() && r.levels().get(next) == Status.INCONCLUSIVE)
                .map(r -> r.rule().id())
                .toList();
        if (!untold.isEmpty()) {
            return "Level " + next.number() + " is not reached, because a test of " + String.join(", ", untold)
                    + " could not tell. Run it again.";
        }
        return "Level " + next.number() + " is not reached, because not all of its tests were run"
                + report.results().stream()
                        .filter(r -> r.test().level() == next && !r.status().good())
                        .map(TestResult::reason)
                        .filter(reason -> reason != null)
                        .findFirst()
                        .map(reason -> ": " + reason + ".")
                        .orElse(".");
    }

    private void ladder() {
        html.append("<ol class=\"ladder\">\n");
        for (Level level : Level.values()) {
            Status status = verdict.levels().getOrDefault(level, Status.NOT_RUN);
            html.append("<li")
                    .append(level.number() <= verdict.level() ? " class=\"reached\"" : "")
                    .append("><b>")
                    .append(level.label())
                    .append("</b>")
                    .append(text(level.meaning()))
                    .append("<br><span class=\"state ")
                    .append(style(status))
                    .append("\">")
                    .append(text(status.text()))
                    .append("</span></li>\n");
        }
        html.append("</ol>\n");
    }

    private void facts() {
        TestedStore subject = report.subject();
        html.append("<dl class=\"card\">\n");
        fact("Rules", counts());
        fact("Specification", SpecRule.version());
        fact("TCK", TckVersion.get());
        fact("Seed", Long.toString(report.settings().drawn().seed()));
        fact("Run", TIME.format(report.startedAt()) + ", " + report.time().toSeconds() + " s");
        fact("Java", System.getProperty("java.version") + ", " + System.getProperty("os.name"));
        fact("Store", subject.store());
        fact("Harness", subject.harness());
        for (Capability capability : Capability.values()) {
            String reason = subject.capabilities().reasonWithout(capability);
            if (reason != null) {
                fact("Does without " + capability, reason);
            }
        }
        html.append("</dl>\n");
    }

    private void fact(String name, String value) {
        html.append("<div><dt>")
                .append(text(name))
                .append("</dt><dd>")
                .append(text(value).replaceAll("(?<=[a-z])([.$])(?=[A-Za-z])", "$1<wbr>")) // names of classes
                .append("</dd></div>\n");
    }

    private String counts() {
        StringBuilder counts = new StringBuilder();
        report.counts().forEach((status, count) -> {
            if (count > 0) {
                counts.append(counts.length() == 0 ? "" : ", ")
                        .append(count)
                        .append(' ')
                        .append(status.text());
            }
        });
        return counts.toString();
    }

    private void witnesses() {
        List<RuleReport> broken = report.ruleReports().stream()
                .filter(r -> r.status() == Status.FAIL)
                .toList();
        if (broken.isEmpty()) {
            return;
        }
        html.append("<h2>What is broken</h2>\n");
        for (RuleReport rule : broken) {
            html.append("<div class=\"card broken\">\n<h3><span class=\"id\">")
                    .append(rule.rule().id())
                    .append("</span>")
                    .append(tags(rule.rule()))
                    .append("</h3>\n<p>")
                    .append(code(rule.rule().sentence()))
                    .append("</p>\n");
            rule.results().forEach(result -> witness(result, rule.rule().id()));
            html.append("<p><b>Protects.</b> ")
                    .append(code(rule.rule().intent()))
                    .append("</p>\n<p><b>Check</b> ")
                    .append(code(rule.rule().check()))
                    .append("</p>\n</div>\n");
        }
    }

    private void witness(TestResult result, String rule) {
        Witness witness = result.witness();
        if (witness == null || !witness.rule().equals(rule)) {
            return;
        }
        html.append("<p class=\"why\">")
                .append(result.test().level().label())
                .append(" · ")
                .append(text(result.test().words()))
                .append("</p>\n<pre>")
                .append(text(witness.observed()));
        if (!witness.history().isEmpty()) {
            html.append("\n\n").append(text(String.join("\n", witness.history())));
        }
        html.append("</pre>\n");
    }

    private void rules() {
        html.append("<p class=\"legend small\">");
        for (Status status : Status.values()) {
            html.append("<span>")
                    .append(cell(status))
                    .append(text(status.text()))
                    .append("</span>");
        }
        html.append("</p>\n");
        String section = "";
        for (RuleReport rule : report.ruleReports()) {
            if (!rule.rule().section().equals(section)) {
                html.append(section.isEmpty() ? "" : "</section>\n");
                section = rule.rule().section();
                html.append("<h2 class=\"part\">").append(text(section)).append("<span class=\"cells small\">");
                for (Level level : Level.values()) {
                    html.append("<span>").append(level.label()).append("</span>");
                }
                html.append("</span></h2>\n<section class=\"card\">\n");
            }
            rule(rule);
        }
        html.append(section.isEmpty() ? "" : "</section>\n");
    }

    private void rule(RuleReport rule) {
        html.append("<details class=\"rule\"><summary><span class=\"id\">")
                .append(rule.rule().id())
                .append("</span><span class=\"sentence\">")
                .append(code(rule.rule().sentence()))
                .append(tags(rule.rule()))
                .append("</span><span class=\"cells\">");
        for (Level level : Level.values()) {
            html.append(cell(rule.levels().get(level)));
        }
        html.append("</span></summary>\n<div class=\"body\"><p class=\"small\">")
                .append(code(rule.rule().intent()))
                .append("</p><ul>\n");
        for (TestResult result : rule.results()) {
            String reason = JsonReport.reason(result, rule.rule());
            html.append("<li>")
                    .append(result.test().level().label())
                    .append(" · ")
                    .append(text(result.test().words()))
                    .append(": ")
                    .append(text(result.about(rule.rule().id()).text()))
                    .append(reason == null ? "" : ", " + text(reason))
                    .append(result.seen() == null ? "" : ", " + text(result.seen()))
                    .append("</li>\n");
        }
        String untested = rule.rule().untested();
        html.append(untested == null ? "" : "<li>not tested: " + code(untested) + "</li>\n")
                .append("</ul></div></details>\n");
    }

    private static String tags(SpecRule rule) {
        StringBuilder tags = new StringBuilder();
        if (rule.capability() != null) {
            tags.append("<span class=\"tag notrun\">").append(rule.capability()).append("</span>");
        }
        if (!rule.must()) {
            tags.append("<span class=\"tag notrun\">should</span>");
        }
        if (rule.provisional() != null) {
            tags.append("<span class=\"tag overridden\">provisional since ")
                    .append(rule.provisional())
                    .append("</span>");
        }
        return tags.toString();
    }

    private static String cell(@Nullable Status status) {
        if (status == null) {
            return "<span class=\"cell nothing\" title=\"no test at this level\">·</span>";
        }
        return "<span class=\"cell " + style(status) + "\" title=\"" + status.text() + "\">" + sign(status) + "</span>";
    }

    private static String sign(Status status) {
        return switch (status) {
            case PASS -> "✓";
            case REFUSED -> "✓ –";
            case NOT_RUN -> "–";
            case OVERRIDDEN -> "≠";
            case INCONCLUSIVE -> "?";
            case FAIL -> "✕";
        };
    }

    private static String style(Status status) {
        return switch (status) {
            case PASS -> "pass";
            case REFUSED -> "refused";
            case NOT_RUN -> "notrun";
            case OVERRIDDEN, INCONCLUSIVE -> "overridden";
            case FAIL -> "fail";
        };
    }

    private static String simple(String className) {
        return className.substring(className.lastIndexOf('.') + 1);
    }

    /** Text of the contract, in which `this` is code. */
    private static String code(String markdown) {
        return text(markdown).replaceAll("`([^`]+)`", "<code>$1</code>");
    }

    private static String text(String plain) {
        StringBuilder escaped = new StringBuilder(plain.length());
        for (int i = 0; i < plain.length(); i++) {
            char c = plain.charAt(i);
            switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                default -> escaped.append(Character.isISOControl(c) && c != '\n' ? '\ufffd' : c);
            }
        }
        return escaped.toString();
    }

    private static String css() {
        try (InputStream in = HtmlReport.class.getResourceAsStream("conformance.css")) {
            if (in == null) {
                throw new IllegalStateException("conformance.css is not beside " + HtmlReport.class);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
