#!/usr/bin/env bash
# Writes the samples anew by running the tools: `tests/gate/samples/make.sh`. Needs node, npm, python3, a JDK, and of Debian
# gotestsum golang-go ruby-rspec ruby-rspec-junit-formatter phpunit maven libsurefire-java junit4 gradle.
# Their expected summaries are written by SEATRIAL_REWRITE_GOLDEN=1 pytest tests/gate/test_reports_samples.py; read the diff.
# What cannot be had from PyPI, npm or Debian is under written-*/, after the public documentation that each file names.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${WORK:-$(mktemp -d)}
mkdir -p "$work" && cp -r "$here/sources/." "$work"
cd "$work"

# Sources of tests that must not be taken for ours have a further ending.
find . -name '*.txt' | while read -r file; do mv "$file" "${file%.txt}"; done

keep() { # keep SAMPLE FILE...: without what tells of the machine
  rm -rf "${here:?}/$1" && mkdir -p "$here/$1" && python3 "$here/scrub.py" "$work" "$here/$1" "${@:2}"
}

python3 -m venv py
py/bin/pip install --quiet pytest==9.2.0 pytest-rerunfailures==16.7 pytest-xdist==3.8.0 allure-pytest==2.16.2
(
  cd pytest && pytest=../py/bin/pytest
  $pytest -q test_shop.py --junitxml=junit.xml -o junit_family=xunit2; keep pytest-xunit2 pytest/junit.xml
  $pytest -q test_shop.py --junitxml=junit.xml -o junit_family=xunit1; keep pytest-xunit1 pytest/junit.xml
  $pytest -q -n 2 test_shop.py --junitxml=junit.xml; keep pytest-xdist pytest/junit.xml
  rm -f attempt; $pytest -q --reruns 2 test_retry.py --junitxml=junit.xml; keep pytest-rerunfailures pytest/junit.xml
  $pytest -q test_sub.py --junitxml=junit.xml; keep pytest-subtests pytest/junit.xml
  $pytest -q test_shop.py -k "TestCart or fails" --junitxml=one.xml; $pytest -q test_shop.py -k "not fails" --junitxml=two.xml
  keep pytest-shards pytest/one.xml pytest/two.xml
  rm -f attempt; $pytest -q --reruns 2 --alluredir=allure test_shop.py test_retry.py; keep allure-pytest $(cd "$work" && echo pytest/allure/*-result.json)
)

npm install --silent --no-audit --no-fund --prefix . jest@30 jest-junit@16 mocha@10 mocha-junit-reporter@2 \
  @playwright/test@1.65.1 vitest@4 allure-playwright@3 allure-mocha@3
(
  cd jest && JEST_JUNIT_ADD_FILE_ATTRIBUTE=true JEST_JUNIT_REPORT_TEST_SUITE_ERRORS=true \
    npx jest --ci --rootDir=. --reporters=jest-junit
  keep jest jest/junit.xml
)
(
  cd mocha && MOCHA_FILE=junit.xml npx mocha --reporter mocha-junit-reporter shop.js; keep mocha mocha/junit.xml
  npx mocha --reporter allure-mocha shop.js; keep allure-mocha $(cd "$work" && echo mocha/allure-results/*-{result,globals}.json)
)
(
  cd playwright
  PLAYWRIGHT_JUNIT_OUTPUT_NAME=junit.xml npx playwright test --reporter=junit; keep playwright playwright/junit.xml
  PLAYWRIGHT_JUNIT_INCLUDE_RETRIES=1 PLAYWRIGHT_JUNIT_OUTPUT_NAME=junit.xml npx playwright test --reporter=junit
  keep playwright-retries playwright/junit.xml
  npx playwright test --reporter=allure-playwright; keep allure-playwright $(cd "$work" && echo playwright/allure-results/*-result.json)
)
(cd vitest && npx vitest run --reporter=junit --outputFile=junit.xml; keep vitest vitest/junit.xml)

(
  cd rspec && rspec --require rspec_junit_formatter --format RspecJunitFormatter --out junit.xml shop_spec.rb
  keep rspec rspec/junit.xml
)
(cd phpunit && phpunit --log-junit junit.xml ShopTest.php; keep phpunit phpunit/junit.xml)
(
  cd go && export GOFLAGS=-mod=mod ATTEMPT=$work/go/attempt && rm -f "$ATTEMPT"
  gotestsum --junitfile junit.xml ./cart; rm -f "$ATTEMPT"; keep gotestsum go/junit.xml
  gotestsum --junitfile junit.xml --rerun-fails --packages=./cart; keep gotestsum-reruns go/junit.xml
  gotestsum --junitfile junit.xml ./...; keep gotestsum-broken-package go/junit.xml
)
(
  cd java && mkdir -p target/test-classes target/classes src/org/example && mv src/ShopTest.java src/org/example
  javac -cp /usr/share/java/junit4.jar:/usr/share/java/hamcrest.jar -d target/test-classes src/org/example/ShopTest.java
  cp -rL /usr/share/maven-repo "$work/m2"
  surefire="org.apache.maven.plugins:maven-surefire-plugin:2.22.3:test"
  mvn -o -q -Dmaven.repo.local="$work/m2" "$surefire"; keep surefire $(cd "$work" && echo java/target/surefire-reports/*.xml)
  mvn -o -q -Dmaven.repo.local="$work/m2" -Dsurefire.rerunFailingTestsCount=1 "$surefire"
  keep surefire-reruns $(cd "$work" && echo java/target/surefire-reports/*.xml)
  rm -rf target && gradle --offline --no-daemon -q test; keep gradle $(cd "$work" && echo java/build/test-results/test/*.xml)
)
